"""Config: every object of the mesh at one moment. A change makes a new Config that shares the untouched kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.mesh_networks import MeshNetworks
from mizzen.api.meta import Object
from mizzen.model.access import SecretAccess
from mizzen.model.features import Features
from mizzen.model.finding import Finding
from mizzen.model.jwks import FetchedKeys, KeySource
from mizzen.model.remote import Remote

ObjectKey = tuple[str, str]
"""(namespace, name); the namespace of cluster-scoped kinds is empty."""

_EMPTY: Mapping[ObjectKey, Object] = {}


@dataclass(frozen=True)
class Settling:
    """A change of modes of mutual TLS that is under way: proxies do not learn of it all at once (row PA-10).

    ``before`` are the PeerAuthentications until now, and ``root_namespace`` theirs. Servers whose mode turns to or from
    DISABLE take both kinds of connection; ``clients``: whether clients follow the new modes already.
    """

    before: Mapping[ObjectKey, Object]
    root_namespace: str
    clients: bool


@dataclass(frozen=True, eq=False)
class Config:
    """``objects`` is keyed by kind (see ``api.kinds.KINDS``), then by (namespace, name).

    ``mesh`` is the decoded ConfigMap ``istio``; ``findings`` are those of decoding. ``revision`` is the number that
    the source of the objects gave to its latest change.
    """

    objects: Mapping[str, Mapping[ObjectKey, Object]] = field(default_factory=dict)
    mesh: MeshConfig = field(default_factory=MeshConfig)
    networks: MeshNetworks = field(default_factory=MeshNetworks)
    """What the same ConfigMap says of networks (row MC-30)."""
    findings: tuple[Finding, ...] = ()
    revision: int = 0
    domain: str = "cluster.local"
    cluster_id: str = "Kubernetes"
    jwks: Mapping[KeySource, FetchedKeys] = field(default_factory=dict)
    """Token keys that the shell fetched, by where they come from (row RA-05)."""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the shell found out about the names of gateways (row MN-02)."""
    features: Features = field(default_factory=Features)

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The control plane's, for what MeshConfig takes from variables (rows MC-08, TR-06)."""

    settling: Settling | None = None

    secret_access: SecretAccess | None = None
    """What an API server's reviews said, from a shell that asks one; None: it is judged by ``features.authorization``."""
    remotes: Mapping[str, Remote] = field(default_factory=dict)
    """The other clusters that could be read, by their ids (row MCL-01)."""

    def of(self, kind: str) -> Mapping[ObjectKey, Object]:
        """The objects of one kind; the same mapping object as long as none of them changed."""
        return self.objects.get(kind, _EMPTY)

    def with_objects(self, put: Iterable[Object] = (), remove: Iterable[tuple[str, ObjectKey]] = ()) -> Config:
        """A new Config with these objects put and those removed; kinds that no change touches are shared."""
        changed: dict[str, dict[ObjectKey, Object]] = {}

        def of(kind: str) -> dict[ObjectKey, Object]:
            if kind not in changed:
                changed[kind] = dict(self.of(kind))
            return changed[kind]

        for kind, key in remove:
            of(kind).pop(key, None)
        for obj in put:
            of(obj.kind)[(obj.namespace, obj.name)] = obj
        return replace(self, objects={**self.objects, **changed})
