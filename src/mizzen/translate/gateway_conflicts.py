"""What to tell the owner of a Gateway whose server is left out because an older one has its place (row GW-25)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.model.finding import REJECTED, Finding, Level
from mizzen.translate.catalog import Catalog
from mizzen.translate.gateway_server import left_out


def findings(catalog: Catalog) -> Iterator[Finding]:
    """One for each server that is left out at the routers of this scope."""
    for bound, reason in left_out(catalog):
        origin = bound.gateway.origin
        yield Finding(
            code=REJECTED,
            level=Level.ERROR,
            message=f"this server is left out on port {bound.port}: {reason}",
            kind=bound.gateway.kind,
            namespace=bound.gateway.namespace,
            name=bound.gateway.name,
            field=bound.field,
            file=origin.file if origin else "",
            line=origin.line if origin else 0,
        )
