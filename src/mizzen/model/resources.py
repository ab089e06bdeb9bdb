"""ResourceSet: what one view of the mesh becomes, as serialised Envoy resources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mizzen.model.finding import Finding

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - a type name
EXTENSION_CONFIG = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
NAME_TABLE = "type.googleapis.com/istio.networking.nds.v1.NameTable"
"""For agents with a DNS proxy; no Envoy asks for it (row XD-13)."""

UNUSABLE_CREDENTIAL = "MZ0501"
"""The code of a finding about a certificate or roots that are missing, refused, or of no use."""

PUBLIC_SECRETS = ("file-cert:", "file-root:", "configmap://")
"""How names of that type begin that hold no secret: paths of the proxy's own files, and authorities (row CG-03)."""
PUSH_ORDER = (CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, EXTENSION_CONFIG, NAME_TABLE)
"""Make before break: what is referred to is sent before what refers to it (row XD-02)."""

SHORT_NAMES = {CLUSTER: "CDS", ENDPOINT: "EDS", LISTENER: "LDS", ROUTE: "RDS", SECRET: "SDS", EXTENSION_CONFIG: "ECDS"}
SHORT_NAMES |= {NAME_TABLE: "NDS"}


@dataclass(frozen=True, slots=True)
class Resource:
    """``body`` is the message serialised deterministically; ``version`` is the hash of it. ``repr`` hides the body: it may
    hold a key."""

    type_url: str
    name: str
    version: str
    body: bytes = field(repr=False)
    stopgap: bool = False
    """Only for a proxy that has nothing under this name; any other keeps what it has."""

    @classmethod
    def of(cls, type_url: str, name: str, body: bytes) -> Resource:
        return cls(type_url, name, hashlib.blake2b(body, digest_size=8).hexdigest(), body)


class PatchStatus(StrEnum):
    APPLIED = "applied"
    NOTHING = "matched nothing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PatchOutcome:
    """What became of ``spec.configPatches[index]`` of the EnvoyFilter ``namespace/name`` for one view."""

    namespace: str
    name: str
    index: int
    apply_to: str
    status: PatchStatus
    reason: str = ""


@dataclass(frozen=True, eq=False)
class ResourceSet:
    """Resources by type URL, then name, in the order in which they are to be sent. Shared by every proxy of the view."""

    types: Mapping[str, Mapping[str, Resource]] = field(default_factory=dict)
    patches: tuple[PatchOutcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What only translation could find out about the user's objects."""

    @classmethod
    def of(cls, resources: Iterable[Resource], findings: tuple[Finding, ...] = ()) -> ResourceSet:
        types: dict[str, dict[str, Resource]] = {}
        for resource in resources:
            types.setdefault(resource.type_url, {})[resource.name] = resource
        return cls(types, findings=findings)

    def get(self, type_url: str) -> Mapping[str, Resource]:
        return self.types.get(type_url, {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceSet) and {k: dict(v) for k, v in self.types.items()} == {
            k: dict(v) for k, v in other.types.items()
        }

    __hash__ = None  # type: ignore[assignment]
