"""Whether a client and a filter chain agree on TLS."""

from __future__ import annotations

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from mizzen.simulate.call import Call, Tls
from mizzen.simulate.outcome import Failure, Stage, Step
from mizzen.simulate.reading import unpacked


def handshake(chain: components.FilterChain, call: Call) -> tuple[Failure | None, Step]:
    """What the chain's transport socket makes of ``call``. Certificates of the mesh count as valid, foreign ones not."""
    if not chain.HasField("transport_socket"):
        passed = "the client's TLS passes as bytes" if call.encrypted else "plain text"
        return None, Step(Stage.TLS, "none", f"the chain ends no TLS: {passed}")
    context = unpacked(chain.transport_socket.typed_config, tls_pb2.DownstreamTlsContext)
    name = chain.transport_socket.name
    if context is None:
        return Failure.UNKNOWN, Step(Stage.TLS, name, "this transport socket is not modelled")
    certificates = context.common_tls_context.tls_certificate_sds_secret_configs
    shown = f"the chain ends TLS with {', '.join(c.name for c in certificates) or 'a certificate of its own'}"
    if not call.encrypted:
        return Failure.TLS, Step(Stage.TLS, name, f"{shown}; the client speaks plain text")
    if not context.require_client_certificate.value:
        return None, Step(Stage.TLS, name, f"{shown}; it asks for no certificate")
    if call.tls is Tls.TLS:
        return Failure.MUTUAL_TLS, Step(Stage.TLS, name, f"{shown}; it wants a certificate and the client has none")
    if call.tls is Tls.FOREIGN:
        return Failure.MUTUAL_TLS, Step(Stage.TLS, name, f"{shown}; the client's certificate is of another authority")
    return None, Step(Stage.TLS, name, f"{shown}; the client shows the certificate that it wants")


def ends_tls(chain: components.FilterChain) -> bool:
    return bool(chain.HasField("transport_socket"))
