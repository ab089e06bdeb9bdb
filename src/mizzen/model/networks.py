"""The networks of a mesh: how each is entered from the others (rows MN-02, MN-03)."""

from __future__ import annotations

import math
from collections import Counter

from msgspec import Struct


class NetworkGateway(Struct, frozen=True, order=True):
    """One address at which a gateway takes mesh TLS for ``network``. ``cluster`` is empty when it is of no cluster alone."""

    network: str
    cluster: str
    address: str
    port: int


class Networks(Struct, frozen=True):
    """``gateways`` are sorted. Without any of them all endpoints are dialled directly, whatever network they are in.

    ``names`` are those of gateways that the shell has to look up.
    """

    gateways: tuple[NetworkGateway, ...] = ()
    names: tuple[str, ...] = ()

    def to(self, network: str, cluster: str) -> tuple[NetworkGateway, ...]:
        """The gateways for endpoints of ``cluster`` in ``network``: the cluster's own, else all of the network (row MN-03)."""
        every = tuple(gateway for gateway in self.gateways if gateway.network == network)
        return tuple(gateway for gateway in every if gateway.cluster == cluster) or every

    @property
    def scale(self) -> int:
        """What weights are multiplied by, so that any of them can be split evenly among the gateways of a network."""
        by_network = Counter(gateway.network for gateway in self.gateways)
        by_cluster = Counter((gateway.network, gateway.cluster) for gateway in self.gateways)
        return math.lcm(*by_network.values(), *by_cluster.values())
