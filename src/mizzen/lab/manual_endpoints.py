"""Endpoints that users write for a Service without selector, mirrored into EndpointSlices as Kubernetes does (row OL-12). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mizzen.lab.services import NAME_LABEL
from mizzen.lab.workloads import owner, short_hash

Raw = dict[str, Any]
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_MANAGER = "endpointslicemirroring-controller.k8s.io"


def mirrored(endpoints: Iterable[Raw], services: Iterable[Raw]) -> list[tuple[Raw, list[Raw]]]:
    """Each Endpoints object with its slices, one for a subset and address family. None where the Service has a selector
    or is not there."""
    manual = {_key(service) for service in services if not (service.get("spec") or {}).get("selector")}
    return [(item, _slices(item) if _key(item) in manual and not _skipped(item) else []) for item in endpoints]


def _key(raw: Raw) -> tuple[str, str]:
    return str(raw["metadata"].get("namespace") or "default"), str(raw["metadata"]["name"])


def _skipped(raw: Raw) -> bool:
    return str((raw["metadata"].get("labels") or {}).get(_SKIP, "")).lower() == "true"


def _slices(item: Raw) -> list[Raw]:
    meta = item["metadata"]
    found: list[Raw] = []
    for subset in item.get("subsets") or []:
        every = [
            *((entry, True) for entry in subset.get("addresses") or []),
            *((entry, False) for entry in subset.get("notReadyAddresses") or []),
        ]
        ports = [
            {"name": p.get("name") or "", "port": p.get("port"), "protocol": p.get("protocol") or "TCP"}
            | ({"appProtocol": p["appProtocol"]} if p.get("appProtocol") else {})
            for p in subset.get("ports") or []
        ]
        for family in ("IPv4", "IPv6"):
            members = [_endpoint(e, ready) for e, ready in every if (":" in str(e.get("ip"))) == (family == "IPv6")]
            if members:
                name = f"{meta['name']}-{short_hash([ports, family, len(found)], 5)}"
                found.append(_slice(item, name, family, ports, members))
    return found


def _slice(item: Raw, name: str, family: str, ports: list[Raw], members: list[Raw]) -> Raw:
    meta = item["metadata"]
    labels = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "namespace": _key(item)[0],
            "labels": {**labels, "endpointslice.kubernetes.io/managed-by": _MANAGER},
            "ownerReferences": [owner(item)],
        },
        "addressType": family,
        "ports": ports,
        "endpoints": members,
    }


def _endpoint(entry: Mapping[str, Any], ready: bool) -> Raw:
    found: Raw = {"addresses": [entry.get("ip")], "conditions": {"ready": ready, "serving": ready}}
    return found | {name: entry[name] for name in ("hostname", "nodeName", "targetRef") if entry.get(name)}
