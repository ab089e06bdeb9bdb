"""What the control plane read and made of it: configuration, services, endpoints (rows DBG-04, DBG-05, DBG-07)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from mizzen.api.kinds import KINDS
from mizzen.inject.settings import InjectSettings
from mizzen.model.config import Config
from mizzen.model.snapshot import Snapshot
from mizzen.server.debug import shown
from mizzen.server.hub import Hub

Json = dict[str, Any]
TEMPLATES = ("gateway", "sidecar")
_POLICIES = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")


def configz(config: Config) -> list[Json]:
    """Istio's objects in Kubernetes' form. Secrets, and whatever else is Kubernetes' own, are not here."""
    own = [kind for kind, info in KINDS.items() if info.payload == "spec"]
    return [shown.document(obj) for kind in own for obj in config.of(kind).values()]


def mesh(config: Config) -> Any:
    """Mesh config with its defaults."""
    return msgspec.to_builtins(config.mesh, enc_hook=str)


def resourcesz() -> list[str]:
    """``group/version/kind`` of what is read."""
    return sorted(f"{info.api_version}/{info.kind}" for info in KINDS.values() if info.effect == "full")


def authorizationz(config: Config) -> Json:
    """The security policies by kind and namespace."""
    found: Json = {}
    for kind in _POLICIES:
        for (namespace, _), obj in config.of(kind).items():
            found.setdefault(KINDS[kind].plural, {}).setdefault(namespace, []).append(shown.document(obj))
    return {**found, "rootNamespace": config.mesh.root_namespace}


def registryz(snapshot: Snapshot) -> list[Any]:
    return [shown.plain(service) for service in snapshot.services]


def endpoints(snapshot: Snapshot) -> list[Json]:
    """By service and port."""
    return [
        {"namespace": namespace, "hostname": host, "port": port, "endpoints": [shown.plain(each) for each in of]}
        for (namespace, host, port), of in sorted(snapshot.endpoints.items())
    ]


def push_status(hub: Hub, snapshot: Snapshot) -> Json:
    """What the newest push was made from, and what was found wrong on the way."""
    counts = Counter(finding.code for finding in hub.findings())
    return {
        "push": hub.current.number if hub.current is not None else 0,
        "revision": snapshot.config.revision,
        "error": hub.error,
        "findings": dict(sorted(counts.items())),
    }


def push_context(snapshot: Snapshot) -> Json:
    """How much of everything there is."""
    return {
        "services": len(snapshot.services),
        "workloads": len(snapshot.workloads),
        "endpoints": sum(len(members) for members in snapshot.endpoints.values()),
        "objects": {kind: len(of) for kind, of in snapshot.config.objects.items() if of},
    }


def inject(config: Config) -> Json:
    """The templates and what they are rendered with, where an object does not say otherwise."""
    settings = InjectSettings(mesh=config.mesh)
    return {"templates": list(TEMPLATES), "values": msgspec.to_builtins(settings.proxy, enc_hook=str)}


def clusters(config: Config) -> list[Json]:
    """The own cluster and the others, under Istio's keys (rows IX-22, MCL-01)."""
    others = [{"id": name, "secretName": r.secret, "syncStatus": r.status} for name, r in config.remotes.items()]
    return [{"id": config.cluster_id, "secretName": "", "syncStatus": "synced"}, *others]


def networks(snapshot: Snapshot) -> list[Json]:
    """The gateways of the networks, under Istio's keys (row MN-02)."""
    return [
        {"Network": each.network, "Cluster": each.cluster, "Addr": each.address, "Port": each.port}
        for each in snapshot.networks.gateways
    ]
