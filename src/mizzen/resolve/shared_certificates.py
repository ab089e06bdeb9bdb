"""Gateways that serve one certificate for several hosts (row GW-29; Istio's message IST0138)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mizzen.api.gateway import Gateway
from mizzen.api.meta import Object
from mizzen.model.finding import Finding, Level
from mizzen.resolve import problems

DUPLICATE = "IST0138"


def shared_certificates(gateways: Iterable[Object]) -> tuple[Finding, ...]:
    """A browser reuses an HTTP/2 connection for every host that its certificate names; the chain it came on knows only
    its own hosts, and answers 404 for the others. ``gateways`` come oldest first; each younger one is told."""
    return tuple(_younger(gateways))


def _younger(gateways: Iterable[Object]) -> Iterator[Finding]:
    first: dict[tuple[str, tuple[tuple[str, str], ...]], Object] = {}
    for obj in gateways:
        body: Gateway = obj.body
        for index, server in enumerate(body.servers):
            tls = server.tls
            if tls is None or not tls.credential_name:
                continue
            oldest = first.setdefault((tls.credential_name, tuple(sorted(body.selector.items()))), obj)
            if oldest is not obj:
                both = ",".join(f"{o.namespace}/{o.name}" for o in (oldest, obj))
                text = f"Duplicate certificate in multiple gateways [{both}] may cause 404s if clients re-use HTTP2 connections."
                yield problems.about(obj, DUPLICATE, Level.WARNING, text, f"spec.servers[{index}].tls.credentialName")
