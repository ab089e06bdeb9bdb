"""CLUSTER patches (row EF-06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from envoy.config.cluster.v3 import cluster_pb2
from google.protobuf import json_format

from mizzen.model.resources import CLUSTER, Resource
from mizzen.translate.messages import resource
from mizzen.translate.patches import speech
from mizzen.translate.patches.change import ADDS, MERGES, Change
from mizzen.translate.patches.merge import merge, merge_packed

_Cluster = cluster_pb2.Cluster
_FIELDS = ("name", "portNumber", "service", "subset")


def patched(clusters: Mapping[str, Resource], changes: Iterable[Change], *, router: bool) -> Iterator[Resource]:
    """The clusters after removals and merges, then those that are added; of one name the first stays."""
    own = [c for c in changes if c.apply_to == "CLUSTER"]
    edits = [c for c in own if c.operation == "REMOVE" or c.operation in MERGES]
    seen: set[str] = set()
    for original in clusters.values():
        found = _edited(original, edits, router=router) if edits else original
        if found is not None:
            seen.add(found.name)
            yield found
    for change in own:
        if change.operation not in ADDS:
            continue
        added = change.value(_Cluster)
        if added is not None and added.name not in seen:
            seen.add(added.name)
            change.applied()
            yield resource(CLUSTER, added.name, added)


def _edited(original: Resource, edits: Iterable[Change], *, router: bool) -> Resource | None:
    hits = [c for c in edits if c.usable and _in_context(c, original.name, router=router)]
    message = _Cluster.FromString(original.body) if hits else None
    touched = False
    for change in hits:
        assert message is not None
        if not _matches(change, message):
            continue
        if change.operation == "REMOVE":
            change.applied()
            return None
        copy = _Cluster()
        copy.CopyFrom(message)
        if change.attempt(lambda c=change, m=copy: _merge(c, m)):  # type: ignore[misc]
            message, touched = copy, True
    if not touched or message is None:
        return original
    speech.follow(message)
    return resource(CLUSTER, original.name, message)


def _in_context(change: Change, name: str, *, router: bool) -> bool:
    inbound = name.startswith("inbound|") or name == "InboundPassthroughCluster"
    return change.context in ("ANY", "GATEWAY" if router else "SIDECAR_INBOUND" if inbound else "SIDECAR_OUTBOUND")


def _matches(change: Change, cluster: cluster_pb2.Cluster) -> bool:
    """``name`` alone decides where it is given."""
    wanted = change.cluster
    if wanted.get("name"):
        return bool(wanted["name"] == cluster.name)
    if not any(wanted.get(key) for key in _FIELDS):
        return True
    parts = cluster.name.split("|")
    if len(parts) != 4:
        return False
    direction, port, subset, host = parts
    hosts = {host} if direction == "outbound" else _services(cluster)
    return (
        (not wanted.get("portNumber") or str(wanted["portNumber"]) == port)
        and (not wanted.get("subset") or wanted["subset"] == subset)
        and (not wanted.get("service") or wanted["service"] in hosts)
    )


def _services(cluster: cluster_pb2.Cluster) -> set[str]:
    """Every service behind an inbound cluster, from the cluster's own metadata."""
    facts = json_format.MessageToDict(cluster.metadata).get("filterMetadata", {}).get("istio", {})
    return {str(entry.get("host")) for entry in facts.get("services", ())}


def _merge(change: Change, cluster: cluster_pb2.Cluster) -> bool:
    value = change.value(_Cluster)
    if value is None:
        return False
    if value.HasField("transport_socket") and cluster.transport_socket_matches:
        # What the user means is inside the matches: a socket beside them would never be used.
        for match in cluster.transport_socket_matches:
            if match.transport_socket.name == value.transport_socket.name:
                merge_packed(match.transport_socket.typed_config, value.transport_socket.typed_config)
        value.ClearField("transport_socket")
    merge(cluster, value, replace_lists=change.operation == "MERGE_AND_REPLACE_LIST")
    return True
