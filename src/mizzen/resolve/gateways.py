"""Which Gateways a router serves, and on which of its ports (row GW-02)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mizzen.api.meta import Object
from mizzen.model import generated
from mizzen.model.proxy import Proxy
from mizzen.model.snapshot import Snapshot
from mizzen.resolve.selection import leading

_NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation"


def gateways_of(snapshot: Snapshot, proxy: Proxy) -> Iterator[Object]:
    """The Gateways whose selector fits the router's labels, or whose Services lead to it, the oldest first."""
    mine = {service.hostname for service, _, _ in leading(snapshot, proxy)}
    for obj in snapshot.gateways:
        services = _services(obj)
        if (not mine.isdisjoint(services)) if services else obj.body.selector.items() <= proxy.labels.items():
            yield obj


def merged(snapshot: Snapshot, proxy: Proxy) -> tuple[tuple[Object, ...], tuple[Object, ...]]:
    """The Gateways that a router serves, and those that select it in vain: whoever may write a Gateway in some namespace
    must not add servers to what was deployed for a Gateway of the Gateway API in another one (row GW-26)."""
    found = tuple(gateways_of(snapshot, proxy))
    deployed = any(generated.of_gateway_api(obj) and obj.meta.annotations.get(generated.ACCOUNT) for obj in found)
    if not deployed or not snapshot.config.features.strict_gateways:
        return found, ()
    foreign = tuple(o for o in found if not generated.of_gateway_api(o) and o.namespace != proxy.namespace)
    return tuple(obj for obj in found if obj not in foreign), foreign


def gateway_ports(snapshot: Snapshot, proxy: Proxy) -> dict[int, int]:
    """Service port to container port, by the services that lead to the router."""
    found: dict[int, int] = {}
    for service, port, number in leading(snapshot, proxy):
        if _NO_TRANSLATION not in service.labels:
            found.setdefault(port.number, number or port.number)
    return found


def bound_ports(snapshot: Snapshot, proxy: Proxy, gateways: Iterable[Object]) -> dict[str, dict[int, int]]:
    """The same by the Services of each Gateway that is bound to some, by ``namespace/name``."""
    found: dict[str, dict[int, int]] = {}
    for obj in gateways:
        services = _services(obj)
        if services:
            ports = found.setdefault(f"{obj.namespace}/{obj.name}", {})
            for service, port, number in leading(snapshot, proxy):
                if service.hostname in services:
                    ports.setdefault(port.number, number or port.number)
    return found


def _services(obj: Object) -> list[str]:
    return [name.strip() for name in obj.meta.annotations.get(generated.SERVICES, "").split(",") if name.strip()]
