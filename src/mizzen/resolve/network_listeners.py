"""Gateways of the Gateway API as the way into a network (row GA-22)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mizzen.api.gateway_api import Gateway, ListenerTLS
from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.locality import NETWORK
from mizzen.model.networks import NetworkGateway

GATEWAY_PORT, DEFAULT_PORT = "networking.istio.io/gatewayPort", 15443
LISTENER_PROTOCOL = "gateway.istio.io/listener-protocol"
_REACHED = ("IPAddress", "Hostname")


def wanted_port(labels: Mapping[str, str]) -> int:
    """The port that takes mesh TLS from other networks: that of the label, else 15443 (row PO-17)."""
    text = labels.get(GATEWAY_PORT, "")
    return int(text) if text.isdecimal() else DEFAULT_PORT


def passes_on(gateway: Object, tls: ListenerTLS, port: int) -> bool:
    """Whether a listener that does not end TLS sends it on by the SNI of mesh TLS: it says so, or it is a network's entrance."""
    if tls.options.get(LISTENER_PROTOCOL) == "auto-passthrough":
        return True
    return bool(gateway.meta.labels.get(NETWORK)) and port == wanted_port(gateway.meta.labels)


def entrances(gateways: Mapping[ObjectKey, Object]) -> Iterator[NetworkGateway]:
    """Each written address of a Gateway with the label of a network, on each of its listeners that passes mesh TLS on.

    One without addresses is found through the Service that is made for it.
    """
    for obj in gateways.values():
        gateway: Gateway = obj.body
        network = obj.meta.labels.get(NETWORK, "")
        passing = [
            listener.port
            for listener in gateway.listeners
            if listener.tls is not None
            and listener.tls.mode == "Passthrough"
            and passes_on(obj, listener.tls, listener.port)
        ]
        if network:
            addresses = [address.value for address in gateway.addresses if address.type in _REACHED and address.value]
            yield from (NetworkGateway(network, "", address, port) for address in addresses for port in passing)
