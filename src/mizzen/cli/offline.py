"""Answers from files alone: the documents expanded as the lab would run them, and the proxies they would make.

Nothing here is approximated: a pod's resources come from the same pure functions that the control plane calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mizzen.cli.failure import Failure
from mizzen.cli.findings import as_json, show

if TYPE_CHECKING:
    from mizzen.api.mesh_config import MeshConfig
    from mizzen.model.config import Config
    from mizzen.model.resources import ResourceSet

    Expand = Callable[[Sequence[dict[str, Any]], MeshConfig], list[dict[str, Any]]]

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What one proxy of the files would hold."""

    resources: ResourceSet

    def config_dump(self) -> Json:
        """The message ``envoy.admin.v3.ConfigDump`` that its Envoy would give; the bootstrap's own parts are not known."""
        from mizzen.cli.proxyconfig import dump
        from mizzen.model.resources import ENDPOINT
        from mizzen.proto.shown import decoded

        types = {
            url: {name: decoded(url, r.body) for name, r in named.items()}
            for url, named in self.resources.types.items()
        }
        for assignment in types.get(ENDPOINT, {}).values():
            _complete(assignment)
        versions = {
            f"{url}/{name}": r.version for url, named in self.resources.types.items() for name, r in named.items()
        }
        return dump.of_resources(types, versions)

    def clusters(self) -> Json:
        """The message ``envoy.admin.v3.Clusters``, with each endpoint as it would begin: healthy unless said otherwise."""
        from mizzen.model.resources import CLUSTER, ENDPOINT
        from mizzen.proto.shown import decoded

        assignments = {name: decoded(ENDPOINT, r.body) for name, r in self.resources.get(ENDPOINT).items()}
        statuses = []
        for name, resource in self.resources.get(CLUSTER).items():
            cluster = decoded(CLUSTER, resource.body)
            service = (cluster.get("eds_cluster_config") or {}).get("service_name") or name
            assignment = cluster.get("load_assignment") or assignments.get(service) or {}
            statuses.append({"name": name, "added_via_api": True, "host_statuses": list(_hosts(assignment))})
        return {"cluster_statuses": statuses}


def _complete(assignment: Json) -> None:
    """Add what Envoy shows of endpoints whatever it was given: it writes them from what it made of them."""
    assignment.setdefault("policy", {}).setdefault("overprovisioning_factor", 140)
    for group in assignment.get("endpoints") or []:
        for endpoint in group.get("lb_endpoints") or []:
            endpoint.setdefault("endpoint", {}).setdefault("health_check_config", {})


def _hosts(assignment: Json) -> list[Json]:
    hosts = []
    for group in assignment.get("endpoints") or []:
        for endpoint in group.get("lb_endpoints") or []:
            health = endpoint.get("health_status", "HEALTHY")
            hosts.append(
                {
                    "address": (endpoint.get("endpoint") or {}).get("address") or {},
                    "health_status": {"eds_health_status": "HEALTHY" if health == "UNKNOWN" else health},
                    "weight": int(endpoint.get("load_balancing_weight", 1)),
                    "locality": group.get("locality") or {},
                }
            )
    return hosts


def expanded(paths: Sequence[str], namespace: str | None) -> list[Json]:
    """The objects of the files, and those that the lab would make of them: ReplicaSets, pods, EndpointSlices, addresses."""
    from mizzen.lab.expand import expand

    return _load(paths, namespace, expand)[0]


def _load(paths: Sequence[str], namespace: str | None, expand: Expand) -> tuple[list[Json], Config]:
    from mizzen.api.meta import Origin
    from mizzen.cli import documents
    from mizzen.sources import config as sources
    from mizzen.sources.files import Document

    read = documents.read(paths, namespace)
    show(read.findings)

    def build(objects: Sequence[Json]) -> Config:
        origins = {id(d["object"]): Origin(d["origin"]["file"], d["origin"]["line"]) for d in read.documents}
        return sources.config_of([Document(raw, origins.get(id(raw), Origin(""))) for raw in objects])

    mesh = build(read.objects).mesh
    objects = expand(read.objects, mesh)
    config = build(objects)
    show(as_json(finding) for finding in config.findings)
    return objects, config


class Proxies:
    """Every proxy that a mesh with these files alone would have, the gateways included, asked by name."""

    def __init__(self, paths: Sequence[str], namespace: str | None) -> None:
        from mizzen.lab.expand import expand_in_mesh

        self.objects, self.config = _load(paths, namespace, expand_in_mesh)

    def find(self, kind: str, namespace: str, name: str) -> list[Json]:
        """A :data:`mizzen.cli.targets.Find` over the files."""
        return [
            raw
            for raw in self.objects
            if raw.get("kind") == kind
            and (raw["metadata"].get("namespace") or "default") == namespace
            and (not name or raw["metadata"].get("name") == name)
        ]

    def answer(self, name: str, namespace: str | None) -> Answer:
        """What the proxy of that name would hold. Raises Failure when there is no such pod, or it has no proxy."""
        from mizzen import resolve, translate
        from mizzen.cli import targets
        from mizzen.lab import offline
        from mizzen.model import locality

        pod = targets.pods_of(name, namespace, self.find)[0]
        if targets.PROXY_CONTAINER not in targets.container_names(pod):
            space, own = targets.identify(pod)
            raise Failure(
                f"pod {own}.{space} has no sidecar", hint=f"label its namespace: istio-injection=enabled on {space}"
            )
        snapshot = resolve.build(self.config)
        nodes = self.find("Node", "default", pod["spec"].get("nodeName", ""))
        where = locality.of_machine(nodes[0]["metadata"].get("labels") or {}) if nodes else None
        return Answer(translate.resources(resolve.view(snapshot, offline.proxy_of(pod, where))))
