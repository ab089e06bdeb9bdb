"""Conduct: how a group of proxies treats connections, headers, traces and access logs."""

from __future__ import annotations

from dataclasses import dataclass, field

from mizzen.api.mesh_config import ProxyConfig
from mizzen.api.meta import Duration
from mizzen.model.report import DEFAULT_REPORT, Report


@dataclass(frozen=True)
class Connections:
    """What node metadata says about the connections that the proxy takes (row IL-09). ``idle``: for how long one may carry
    nothing, None as Envoy has it. ``balance_inbound``, ``balance_outbound``: workers share them out evenly."""

    idle: Duration | None = None
    balance_inbound: bool = False
    balance_outbound: bool = False


@dataclass(frozen=True)
class Conduct:
    """``config`` is the mesh's ``defaultConfig`` with the pod's annotation over it. ``client`` and ``server``: what is
    told of the calls that the app makes, or that pass a gateway, and of those that come to the app (row TM-13)."""

    config: ProxyConfig = field(default_factory=ProxyConfig)
    client: Report = DEFAULT_REPORT
    server: Report = DEFAULT_REPORT
    connections: Connections = Connections()

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Services that the proxy needs clusters of, whatever its Sidecar lists (row TR-10)."""
        return tuple(dict.fromkeys((*self.client.hostnames, *self.server.hostnames)))


DEFAULT_CONDUCT = Conduct()
