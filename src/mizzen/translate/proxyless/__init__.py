"""What gRPC's own xDS client and server get in place of a proxy's resources (row XD-20).

gRPC knows a part of Envoy's API (its "xDS features" page) and refuses much of the rest, so these resources hold only what
it reads. A client asks for the listener ``host:port`` of its target ``xds:///host:port``, then for the route configuration,
the clusters and the endpoints that follow from it; a server for the listener of its own address.
"""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.model.resources import Resource
from mizzen.model.view import Inbound, Scope
from mizzen.translate.catalog import Catalog
from mizzen.translate.proxyless import clusters, inbound, outbound

GENERATOR = "grpc"
"""The value of the node metadata ``GENERATOR`` that asks for this."""


def asked(scope: Scope) -> bool:
    return scope.flags.get("GENERATOR") == GENERATOR


def resources(scope: Scope, served: Inbound | None) -> Iterator[Resource]:
    """Everything that an application of this view may ask for."""
    catalog = Catalog(scope)
    known = list(clusters.resources(catalog))
    names = {cluster.name for cluster in known}
    yield from known
    asked_for = list(outbound.resources(catalog))
    for name in sorted(outbound.destinations(asked_for) - names):
        yield from clusters.nowhere(name)
    yield from asked_for
    if served is not None:
        yield from inbound.listeners(served)
