"""virtualInbound in a real Envoy: which chain takes which connection, by mTLS mode and protocol."""

from __future__ import annotations

import ssl
from contextlib import ExitStack

import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode
from tests.envoy.loopback import Envoy, echo_app, http_app, wait_for
from tests.envoy.mesh import CLIENT_ID, SERVER_ID, Lab, inbound_port, request

pytestmark = pytest.mark.envoy

HTTP_ALPN = ["istio-http/1.1", "istio", "http/1.1"]
TCP_ALPN = ["istio"]


@pytest.mark.row("IL-06", "IL-08")
def test_the_app_sees_who_called(lab: Lab) -> None:
    with http_app() as app:
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT))
        answer = lab.call(app.port, request(), HTTP_ALPN)
        assert b"server: istio-envoy" in answer
        assert b"x-envoy-upstream-service-time" in answer
        facts = dict(part.split("=", 1) for part in app.seen[0]["x-forwarded-client-cert"].split(";"))
        assert facts.keys() == {"By", "Hash", "Subject", "URI"}
        assert (facts["By"], facts["URI"]) == (SERVER_ID, CLIENT_ID)


@pytest.mark.row("PA-01")
def test_permissive_http_takes_plain_text_and_mtls(lab: Lab) -> None:
    with http_app() as app:
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE))
        assert lab.call(app.port, request()).endswith(b"hello")
        assert "x-forwarded-client-cert" not in app.seen[0]
        assert lab.call(app.port, request(), HTTP_ALPN).endswith(b"hello")
        assert "x-forwarded-client-cert" in app.seen[1]
        assert lab.call(app.port, request(), ["http/1.1"]) == b"", (
            "an app's own TLS finds no chain on a declared HTTP port"
        )


@pytest.mark.row("PA-02", "LG-05")
def test_strict_resets_plain_text_and_says_nr(lab: Lab) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT), mtls=MtlsMode.STRICT)
        assert lab.call(app.port, request()) == b""
        assert lab.call(app.port, request(), HTTP_ALPN).endswith(b"hello")
        lines = wait_for(lambda: len(server.access_lines()) == 2 and server.access_lines())
        assert " NR filter_chain_not_found " in lines[0]


@pytest.mark.row("PA-03")
def test_disable_passes_plain_text_and_gives_no_identity(lab: Lab) -> None:
    with http_app() as app:
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.DISABLE))
        assert lab.call(app.port, request()).endswith(b"hello")
        assert "x-forwarded-client-cert" not in app.seen[0]


def _taken(server: Envoy, stat: str) -> int:
    """How many requests or connections a statistic counts."""
    text = server.get(f"/stats?filter={stat}")
    return sum(int(line.rpartition(" ")[2]) for line in text.splitlines())


@pytest.mark.row("PA-01", "PR-03")
def test_permissive_undeclared_port_has_five_chains(lab: Lab) -> None:
    with echo_app() as port:
        server = lab.server(inbound_port(port, Protocol.UNSUPPORTED, MtlsMode.PERMISSIVE))

        def http() -> int:
            return _taken(server, f"http.inbound_0.0.0.0_{port};.downstream_rq_total$")

        def mtls() -> int:
            return _taken(server, "ssl.handshake$")

        assert lab.call(port, b"\0bytes hello") == b"\0bytes hello"
        assert (http(), mtls()) == (0, 0), "chain 4: plain bytes"
        lab.call(port, b"raw mtls hello", TCP_ALPN)
        assert (http(), mtls()) == (0, 1), "chain 3: mTLS bytes"
        lab.call(port, request())
        assert (http(), mtls()) == (1, 1), "chain 2: plain HTTP"
        lab.call(port, request(), HTTP_ALPN)
        assert (http(), mtls()) == (2, 2), "chain 1: mTLS HTTP"


@pytest.mark.row("PA-01", "PR-06")
@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.UNSUPPORTED])
@pytest.mark.parametrize("mode", [MtlsMode.PERMISSIVE, MtlsMode.DISABLE])
def test_an_apps_own_tls_passes_untouched(lab: Lab, protocol: Protocol, mode: MtlsMode) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(echo_app())
        lab.server(inbound_port(port, protocol, mode))
        hello = _client_hello()
        assert lab.call(port, hello) == hello, "the app gets the client's own handshake"


def _client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    connection = context.wrap_bio(incoming, outgoing, server_hostname="app.example.com")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


@pytest.mark.row("PA-06")
def test_modes_of_two_ports_are_apart(lab: Lab) -> None:
    with http_app() as strict, http_app() as plain:
        lab.server(
            inbound_port(strict.port, Protocol.HTTP, MtlsMode.STRICT),
            inbound_port(plain.port, Protocol.HTTP, MtlsMode.DISABLE),
            mtls=MtlsMode.STRICT,
        )
        assert lab.call(strict.port, request()) == b""
        assert lab.call(plain.port, request()).endswith(b"hello")


@pytest.mark.row("PA-13")
def test_a_certificate_of_a_foreign_trust_domain_is_refused(lab: Lab) -> None:
    with http_app() as app:
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT))
        lab.client_sds = lab.authority.write(lab.directory / "foreign", "spiffe://other/ns/foo/sa/client")
        assert lab.call(app.port, request(), HTTP_ALPN) == b""
        assert app.seen == []
