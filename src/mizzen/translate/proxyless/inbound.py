"""What a gRPC server asks for by its own address: ``xds.istio.io/grpc/lds/inbound/<address>:<port>``.

gRPC knows no PERMISSIVE: which of the others a port has was decided before (``resolve.inbound``). It knows neither external
authorizers nor tokens, so where CUSTOM policies apply nobody is let in.
"""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.core.v3 import address_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.rbac.v3 import rbac_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from mizzen.model.resources import LISTENER, Resource
from mizzen.model.view import Inbound, InboundPort, MtlsMode
from mizzen.translate import filters, rbac
from mizzen.translate.messages import any_of, resource
from mizzen.translate.proxyless.tls import common_context

PREFIX = "xds.istio.io/grpc/lds/inbound/"
_ADDRESSES = (("0.0.0.0", "0.0.0.0"), ("[::]", "::"))  # noqa: S104 - what a server that serves all its addresses binds


def listeners(served: Inbound) -> Iterator[Resource]:
    """A listener per container port, under each name of "all addresses": whose pod it is, no resource says."""
    for port in sorted(served.ports, key=lambda p: p.port):
        for written, address in _ADDRESSES:
            name = f"{PREFIX}{written}:{port.port}"
            yield resource(LISTENER, name, _listener(name, address, port, served))


def _listener(name: str, address: str, port: InboundPort, served: Inbound) -> listener_pb2.Listener:
    message = listener_pb2.Listener(name=name)
    message.address.CopyFrom(
        address_pb2.Address(socket_address=address_pb2.SocketAddress(address=address, port_value=port.port))
    )
    secure = port.mtls is not MtlsMode.DISABLE
    chain = message.filter_chains.add(name="inbound-mtls" if secure else "inbound-plaintext")
    chain.filters.append(filters.network("inbound-hcm", _manager(served)))
    if secure:
        _secure(chain)
    return message


def _secure(chain: listener_components_pb2.FilterChain) -> None:
    context = tls_pb2.DownstreamTlsContext()
    context.require_client_certificate.value = True
    common_context(context.common_tls_context)
    chain.transport_socket.name = "envoy.transport_sockets.tls"
    chain.transport_socket.typed_config.CopyFrom(any_of(context))


def _manager(served: Inbound) -> hcm_pb2.HttpConnectionManager:
    manager = hcm_pb2.HttpConnectionManager(http_filters=[*_policies(served), filters.router()])
    route = route_components_pb2.Route(name="default", non_forwarding_action={})
    route.match.prefix = "/"
    host = route_components_pb2.VirtualHost(name="inbound", domains=["*"], routes=[route])
    manager.route_config.CopyFrom(route_pb2.RouteConfiguration(name="inbound", virtual_hosts=[host]))
    return manager


def _policies(served: Inbound) -> list[filters.HttpFilter]:
    """gRPC wants a name of its own for each filter."""
    made = rbac.http_filters(served.policies, served.mesh)
    if served.policies.custom:
        everybody = http_rbac_pb2.RBAC(rules=rbac_pb2.RBAC(action=rbac_pb2.RBAC.ALLOW))
        made = [filters.http("envoy.filters.http.rbac", everybody), *made]
    for number, entry in enumerate(made):
        entry.name = f"{entry.name}.{number}"
    return made
