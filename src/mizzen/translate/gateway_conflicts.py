"""What to tell the owner of a Gateway whose server is left out because an older one has its place (rows GW-25, GW-26)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.model.finding import REJECTED, Finding, Level, about
from mizzen.translate.catalog import Catalog
from mizzen.translate.gateway_server import left_out


def findings(catalog: Catalog) -> Iterator[Finding]:
    """One for each server that is left out at the routers of this scope, and for each Gateway that is not theirs to serve."""
    for bound, reason in left_out(catalog):
        text = f"this server is left out on port {bound.port}: {reason}"
        yield about(bound.gateway, REJECTED, Level.ERROR, text, bound.field)
    for obj in catalog.scope.foreign_gateways:
        where = catalog.scope.namespace
        text = f"a proxy that was deployed for a Gateway of namespace {where} serves no Gateway of another namespace"
        yield about(obj, REJECTED, Level.ERROR, text, "spec.selector")
