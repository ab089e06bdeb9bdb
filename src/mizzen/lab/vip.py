"""Service addresses as nftables rules of the node namespace. Pure: :func:`render` gives the text of one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Backend(Struct, frozen=True, order=True):
    address: str
    port: int


class Virtual(Struct, frozen=True, order=True):
    """One port of one Service address. ``protocol`` is ``tcp`` or ``udp``."""

    address: str
    port: int
    protocol: str
    backends: tuple[Backend, ...] = ()


def render(virtuals: Sequence[Virtual], services: str, node: str, pods: Iterable[str]) -> str:
    """The table ``mizzen``, replaced as a whole; connections that exist keep their translation.

    ``services`` is the range of service addresses: what is sent there and has no backend is refused at once instead
    of travelling until it dies. A pod that reaches itself through a service sees the address ``node`` as its peer,
    else it would answer itself directly and the connection would never open.
    """
    rules = [_rule(virtual) for virtual in sorted(virtuals) if virtual.backends]
    pairs = ", ".join(f"{pod} . {pod}" for pod in sorted(set(pods)))
    elements = f" elements = {{ {pairs} }};" if pairs else ""
    lines = [
        "table ip mizzen { }",
        "delete table ip mizzen",
        "table ip mizzen {",
        f"  set itself {{ type ipv4_addr . ipv4_addr;{elements} }}",
        "  chain services {",
        *(f"    {rule}" for rule in rules),
        "  }",
        "  chain incoming { type nat hook prerouting priority dstnat; jump services; }",
        "  chain local { type nat hook output priority -100; jump services; }",
        f"  chain leaving {{ type nat hook postrouting priority srcnat; ip saddr . ip daddr @itself snat to {node}; }}",
        "  chain refuse {",
        f"    ip daddr {services} meta l4proto tcp reject with tcp reset",
        f"    ip daddr {services} reject",
        "  }",
        "  chain forwarded { type filter hook forward priority 0; jump refuse; }",
        "  chain sent { type filter hook output priority 0; jump refuse; }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _rule(virtual: Virtual) -> str:
    match = f"ip daddr {virtual.address} {virtual.protocol} dport {virtual.port}"
    if len(virtual.backends) == 1:
        only = virtual.backends[0]
        return f"{match} dnat to {only.address}:{only.port}"
    choices = ", ".join(f"{n} : {b.address} . {b.port}" for n, b in enumerate(sorted(virtual.backends)))
    return f"{match} dnat ip to numgen random mod {len(virtual.backends)} map {{ {choices} }}"
