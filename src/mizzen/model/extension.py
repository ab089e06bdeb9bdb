"""Extension: a WasmPlugin or TrafficExtension as filters are made of it, and where its module is (rows WP-02, WP-13)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from mizzen.api.extension import TrafficSelector, WasmConfig
from mizzen.api.meta import Object

DIRECTORY = "/var/lib/istio/data"
"""Where an agent keeps the modules that it fetched, each as ``<sha256>.wasm``."""
NAME_PREFIX = "extensions.istio.io/trafficextension/"
"""Of the names of filters; behind it is the extension's own."""
DOCKER_CONFIG = "kubernetes.io/dockerconfigjson"
"""The type of a Secret with the password of a registry."""
UNFETCHED = "MZ0407"
"""The code of a finding about a module, or the secret to fetch it with, that is not there."""


class Phase(StrEnum):
    """Where among the security filters an extension stands (row WP-06)."""

    AUTHN = "AUTHN"
    AUTHZ = "AUTHZ"
    STATS = "STATS"
    UNSPECIFIED = ""


@dataclass(frozen=True)
class Module:
    """What has to be fetched. ``url`` has its scheme; ``secret`` is a Secret of ``namespace`` with a registry's password.

    ``generation`` tells apart what is to be fetched again when its object changes (row WP-04).
    """

    url: str
    sha256: str = ""
    namespace: str = ""
    secret: str = ""
    generation: str = ""

    @property
    def key(self) -> str:
        """Equal for what one fetch serves: who has not the same credentials does not share it."""
        owner = f"{self.namespace}/{self.secret}" if self.secret else ""
        parts = "\0".join((self.url, self.sha256, owner, self.generation))
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    @property
    def path(self) -> str:
        """The file in the pod that ``file://`` names; empty for any other scheme."""
        return self.url.removeprefix("file://") if self.url.startswith("file://") else ""


@dataclass(frozen=True)
class Extension:
    """``name`` is that of the filter and of its configuration. Either ``module`` and ``wasm``, or ``lua``, is set."""

    owner: Object
    name: str
    phase: Phase = Phase.UNSPECIFIED
    priority: int | None = None
    match: tuple[TrafficSelector, ...] = ()
    network: bool = False
    module: Module | None = None
    wasm: WasmConfig | None = None
    lua: str = ""

    @property
    def kind(self) -> str:
        return self.owner.kind

    @property
    def namespace(self) -> str:
        return self.owner.namespace


@dataclass(frozen=True)
class Fetched:
    """What an agent says of a module: the digest of the file that it has, or why it has none."""

    sha256: str = ""
    error: str = ""


class Way(StrEnum):
    """How a proxy comes to a module."""

    FILE = "file"
    """It is in the pod."""
    REMOTE = "remote"
    """No agent of ours fetches it: whoever is there does, Istio's agent or Envoy itself (row WP-15)."""
    UNKNOWN = "unknown"
    """The agent has said nothing yet."""
    AWAITED = "awaited"
    """The agent is at it: until then the proxy keeps what it has."""
    FAILED = "failed"


@dataclass(frozen=True)
class Delivery:
    """``path`` only with FILE, ``reason`` only with FAILED."""

    way: Way
    path: str = ""
    reason: str = ""
