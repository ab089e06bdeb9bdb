"""The ``ingress`` list of a Sidecar in place of what services say of the pod's ports (row SC-05)."""

from __future__ import annotations

import re

from mizzen.api.meta import Object
from mizzen.api.sidecar import IstioIngressListener
from mizzen.model.proxy import Proxy
from mizzen.model.service import Service
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import InboundPort, MtlsMode
from mizzen.resolve import ports
from mizzen.resolve.mtls import Modes
from mizzen.resolve.pools import Pools
from mizzen.resolve.selection import RESERVED, leading

_ENDPOINT = re.compile(r"(127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\]):\d+$|unix://.+")


def ingress(snapshot: Snapshot, proxy: Proxy, sidecar: Object, modes: Modes, pools: Pools) -> tuple[InboundPort, ...]:
    """Exactly the listed ports; a port number listed twice counts once, the first time."""
    found: dict[int, InboundPort] = {}
    for entry in sidecar.body.ingress:
        number = entry.port.number if entry.port is not None else 0
        if number and number not in RESERVED and number not in found:
            found[number] = _port(snapshot, proxy, sidecar, entry, number, modes, pools)
    return tuple(found[number] for number in sorted(found))


def _port(
    snapshot: Snapshot,
    proxy: Proxy,
    sidecar: Object,
    entry: IstioIngressListener,
    number: int,
    modes: Modes,
    pools: Pools,
) -> InboundPort:
    protocol = ports.of_field(entry.port.protocol if entry.port is not None else "")
    claims = [(service, port) for service, port, behind in leading(snapshot, proxy) if behind == number]
    # A port that no service leads to still needs a name for routes, spans and metrics.
    stand_in = Service(
        hostname=f"{sidecar.name}.{sidecar.namespace}", name=sidecar.name, namespace=sidecar.namespace, ports=()
    )
    service, service_port = (claims[0][0], claims[0][1].number) if claims else (stand_in, number)
    mode = modes.of(number)
    # Beside mesh TLS there is no telling whose a client's TLS is: it counts only where the mesh's is off.
    own = entry.tls if mode is MtlsMode.DISABLE and protocol.is_tls else None
    return InboundPort(
        port=number,
        protocol=protocol,
        tls=own,
        service=service,
        service_port=service_port,
        mtls=mode,
        services=tuple({(s.namespace, s.hostname): s for s, _ in claims}.values()),
        policy=pools.of(service, service_port, entry.connection_pool),
        endpoint=entry.default_endpoint if _ENDPOINT.match(entry.default_endpoint) else "",
    )
