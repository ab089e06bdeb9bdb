"""WorkloadEntries of workloads that register themselves: what is written, and what becomes of it (rows WE-06, VM-03, VM-04).

Pure functions over an entry as a raw document. Times are RFC 3339 texts in UTC with microseconds, so that they sort.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mizzen.api.meta import Object
from mizzen.api.service_entry import WorkloadEntry, WorkloadGroup
from mizzen.model.service import Locality

Raw = dict[str, Any]

GROUP = "istio.io/autoRegistrationGroup"
CONTROLLER = "istio.io/workloadController"
CONNECTED, DISCONNECTED = "istio.io/connectedAt", "istio.io/disconnectedAt"
CHECKED = "proxy.istio.io/health-checks-enabled"
HEALTHY = "Healthy"
_LOCALITY_LABEL = "istio-locality"
_LONGEST_NAME = 253
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_API = "networking.istio.io/v1"


@dataclass(frozen=True, kw_only=True)
class Registrant:
    """What a proxy says of itself when it registers."""

    group: str
    namespace: str
    address: str
    network: str = ""
    locality: Locality = field(default_factory=Locality)
    labels: Mapping[str, str] = field(default_factory=dict)
    probed: bool = False
    """Whether its agent probes the application."""


def moment(when: datetime) -> str:
    """The text of a time."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_name(group: str, address: str, network: str = "") -> str:
    """``GROUP-ADDRESS[-NETWORK]``, colons of IPv6 as dashes; a name that is too long loses its beginning.

    Group and network are as the proxy says them: see :func:`is_name`.
    """
    parts = [group, address.replace(":", "-"), *([network] if network else [])]
    return "-".join(parts)[-_LONGEST_NAME:].lstrip("-.")


def is_name(text: str) -> bool:
    """Whether an object may be called so (RFC 1123)."""
    return _NAME.fullmatch(text) is not None


def entry_of(group: Object, who: Registrant) -> Raw:
    """The entry for ``who`` by its WorkloadGroup. Labels: the template's, over them the group's, over them the proxy's own."""
    spec: WorkloadGroup = group.body
    template, made = spec.template or WorkloadEntry(), spec.metadata
    own = dict(who.labels)
    labels = {**template.labels, **(made.labels if made else {}), **own}
    labels.pop(_LOCALITY_LABEL, None)
    annotations = {GROUP: group.name, **(made.annotations if made else {})}
    if who.probed:
        annotations[CHECKED] = "true"
    fields = {
        "address": who.address,
        "ports": dict(template.ports),
        "labels": labels,
        "network": who.network or template.network,
        "locality": _locality(who.locality) or own.get(_LOCALITY_LABEL, "").replace(".", "/") or template.locality,
        "weight": template.weight,
        "serviceAccount": template.service_account,
    }
    owner = {"apiVersion": _API, "kind": "WorkloadGroup", "name": group.name, "uid": group.meta.uid, "controller": True}
    return {
        "apiVersion": _API,
        "kind": "WorkloadEntry",
        "metadata": {
            "name": entry_name(who.group, who.address, who.network),
            "namespace": who.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner],
        },
        "spec": {name: value for name, value in fields.items() if value},
    }


def _locality(place: Locality) -> str:
    return "/".join((place.region, place.zone, place.subzone)).rstrip("/") if place.region else ""


def annotations_of(entry: Mapping[str, Any]) -> Mapping[str, str]:
    """Of an entry as a raw document."""
    return (entry.get("metadata") or {}).get("annotations") or {}


def automatic(entry: Mapping[str, Any]) -> bool:
    """Whether it was made by a registration, and so goes with its workload."""
    return bool(annotations_of(entry).get(GROUP))


def checked(entry: Mapping[str, Any]) -> bool:
    """Whether the health of its workload counts."""
    return annotations_of(entry).get(CHECKED) == "true"


def claimed(controller: str, since: str) -> Raw:
    """The patch (RFC 7386) of an entry whose proxy is connected to ``controller`` since then."""
    return {"metadata": {"annotations": {CONTROLLER: controller, CONNECTED: since, DISCONNECTED: None}}}


def left(at: str) -> Raw:
    """The patch of an entry whose proxy has gone."""
    return {"metadata": {"annotations": {CONNECTED: None, DISCONNECTED: at}}}


def held_by(entry: Mapping[str, Any], controller: str, since: str) -> bool:
    """Whether the latest connection it knows is one of ``controller``, not newer than ``since``."""
    known = annotations_of(entry)
    return known.get(CONTROLLER) == controller and known.get(CONNECTED, "") <= since


def forgotten(entry: Mapping[str, Any], now: datetime, grace: timedelta, longest: timedelta) -> bool:
    """Whether nobody stands behind it any more: gone for ``grace``, or never seen again for ``longest``."""
    known = annotations_of(entry)
    if CONNECTED in known:
        return known[CONNECTED] <= moment(now - longest)
    return DISCONNECTED in known and known[DISCONNECTED] <= moment(now - grace)


def conditions_of(entry: Mapping[str, Any]) -> list[Raw]:
    """Those of its status that are some: whoever wrote the entry may have written that by hand."""
    status = entry.get("status")
    found = status.get("conditions") if isinstance(status, Mapping) else None
    return [condition for condition in found if isinstance(condition, dict)] if isinstance(found, list) else []


def judged(entry: Mapping[str, Any], healthy: bool, message: str, at: str) -> Raw | None:
    """The patch that gives it this health; None when it has it already."""
    found = conditions_of(entry)
    old = next((c for c in found if c.get("type") == HEALTHY), {})
    new: Raw = {"type": HEALTHY, "status": "True" if healthy else "False"}
    if not healthy:
        new["message"] = message
    if all(old.get(key, "") == new.get(key, "") for key in ("status", "message")):
        return None
    new |= {"lastProbeTime": at, "lastTransitionTime": at}
    return {"status": {"conditions": [*_without(found), new]}}


def unjudged(entry: Mapping[str, Any]) -> Raw | None:
    """The patch that takes its health away; None when it has none."""
    found = conditions_of(entry)
    kept = _without(found)
    return {"status": {"conditions": kept}} if kept != found else None


def _without(conditions: Iterable[Raw]) -> list[Raw]:
    return [condition for condition in conditions if condition.get("type") != HEALTHY]
