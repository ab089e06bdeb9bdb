"""IPv4, IPv6 or both: what a proxy's own addresses change in what it gets (rows XD-09, OL-24).

Everything is made for IPv4 and converted here at the end: a proxy that has IPv6 alone listens on ``::`` and calls the app from
``::6``, one that has both listens on both under the IPv4 name.
"""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2

from mizzen.model.proxy import BOTH_FAMILIES, IPV6_ONLY

_EVERYWHERE, _EVERYWHERE_6 = "0.0.0.0", "::"  # noqa: S104 - as Istio names these listeners
_SOURCE_6 = "::6"


def listen(listener: listener_pb2.Listener, families: str) -> listener_pb2.Listener:
    """``listener`` for a proxy of these families, changed in place."""
    address = listener.address.socket_address
    if address.address == _EVERYWHERE:
        if families == BOTH_FAMILIES:
            more = listener.additional_addresses.add().address.socket_address
            more.address, more.port_value = _EVERYWHERE_6, address.port_value
        elif families == IPV6_ONLY:
            address.address = _EVERYWHERE_6
            listener.name = _renamed(listener.name)
            for chain in listener.filter_chains:
                chain.name = _renamed(chain.name)
    return listener


def call_from(cluster: cluster_pb2.Cluster, families: str) -> cluster_pb2.Cluster:
    """An inbound cluster for a proxy of these families, changed in place: its source address is one that capture lets by."""
    config = cluster.upstream_bind_config
    if not config.source_address.address:
        return cluster
    if families == BOTH_FAMILIES:
        config.extra_source_addresses.add().address.address = _SOURCE_6
        config.extra_source_addresses[0].address.port_value = 0
    elif families == IPV6_ONLY:
        config.source_address.address = _SOURCE_6
    return cluster


def _renamed(name: str) -> str:
    return name.replace(_EVERYWHERE, _EVERYWHERE_6, 1) if name.startswith(f"{_EVERYWHERE}_") else name
