"""Conduct: how a group of proxies treats connections, headers, traces and access logs."""

from __future__ import annotations

from dataclasses import dataclass, field

from mizzen.api.mesh_config import ProxyConfig
from mizzen.api.meta import Duration
from mizzen.model.provider import Logger, Tracing


@dataclass(frozen=True)
class Connections:
    """What node metadata says about the connections that the proxy takes (row IL-09). ``idle``: for how long one may carry
    nothing, None as Envoy has it. ``balance_inbound``, ``balance_outbound``: workers share them out evenly."""

    idle: Duration | None = None
    balance_inbound: bool = False
    balance_outbound: bool = False


@dataclass(frozen=True)
class Conduct:
    """``config`` is the mesh's ``defaultConfig`` with the pod's annotation over it. ``loggers`` None: MeshConfig's
    ``accessLogFile`` rules; empty: nothing is logged (rows MC-04, MC-12, TM-03)."""

    config: ProxyConfig = field(default_factory=ProxyConfig)
    tracing: Tracing | None = None
    loggers: tuple[Logger, ...] | None = None
    connections: Connections = Connections()

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Services that the proxy needs clusters of, whatever its Sidecar lists (row TR-10)."""
        tracer = self.tracing.tracer.hostnames if self.tracing else ()
        return (*tracer, *(host for logger in self.loggers or () for host in logger.hostnames))


DEFAULT_CONDUCT = Conduct()
