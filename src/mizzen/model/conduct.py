"""Conduct: how a group of proxies treats headers, traces and access logs."""

from __future__ import annotations

from dataclasses import dataclass, field

from mizzen.api.mesh_config import ProxyConfig
from mizzen.model.provider import Logger, Tracing


@dataclass(frozen=True)
class Conduct:
    """``config`` is the mesh's ``defaultConfig`` with the pod's annotation over it. ``loggers`` None: MeshConfig's
    ``accessLogFile`` rules; empty: nothing is logged (rows MC-04, MC-12, TM-03)."""

    config: ProxyConfig = field(default_factory=ProxyConfig)
    tracing: Tracing | None = None
    loggers: tuple[Logger, ...] | None = None

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Services that the proxy needs clusters of, whatever its Sidecar lists (row TR-10)."""
        tracer = self.tracing.tracer.hostnames if self.tracing else ()
        return (*tracer, *(host for logger in self.loggers or () for host in logger.hostnames))


DEFAULT_CONDUCT = Conduct()
