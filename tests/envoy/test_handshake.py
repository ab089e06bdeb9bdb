"""Mesh handshakes with a real Envoy: versions, suites, and certificates that are of no worth."""

from __future__ import annotations

import socket
import ssl
from datetime import timedelta

import pytest

from mizzen.api.mesh_config import TLSConfig
from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode
from mizzen.translate.tls import INBOUND_CIPHERS
from tests.envoy.loopback import App, Authority, client_tls, free_port, http_app, wait_for
from tests.envoy.mesh import (
    CLIENT_ID,
    SERVER_HOST,
    SERVER_ID,
    Lab,
    get,
    inbound_port,
    mesh_cluster,
    mesh_config,
    outbound_listener,
    request,
)

pytestmark = pytest.mark.envoy
ALPN = ["istio-http/1.1", "istio", "http/1.1"]
V1_1, V1_2, V1_3 = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def handshake(lab: Lab, port: int, version: ssl.TLSVersion, suite: str = "") -> tuple[str, str] | None:
    """Version and suite that the server agrees to when it is offered these alone; None when it does not."""
    context = client_tls(lab.client_sds, ALPN)
    context.set_ciphers(f"{suite or 'ALL'}:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection((SERVER_HOST, port), timeout=5) as plain,
            context.wrap_socket(plain) as connection,
        ):
            connection.sendall(request())
            if not connection.recv(10):
                return None
            agreed = connection.cipher()
            assert agreed is not None
            return str(connection.version()), agreed[0]
    except (ConnectionError, ssl.SSLError):
        return None


@pytest.mark.row("PA-12")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_versions_and_suites_that_a_sidecar_takes(lab: Lab) -> None:
    with http_app() as app:
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT))
        assert handshake(lab, app.port, V1_1) is None
        taken = handshake(lab, app.port, V1_2)
        assert taken is not None
        assert taken[0] == "TLSv1.2"
        assert taken[1] in INBOUND_CIPHERS
        # Without an RSA certificate only the ECDSA suites of Istio's list can be agreed on.
        for suite in (s for s in INBOUND_CIPHERS if "ECDSA" in s):
            assert handshake(lab, app.port, V1_2, suite) == ("TLSv1.2", suite)
        for suite in ("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"):
            assert handshake(lab, app.port, V1_2, suite) is None, suite
        newest = handshake(lab, app.port, V1_3)
        assert newest is not None
        assert newest[0] == "TLSv1.3"


@pytest.mark.row("PA-12", "MC-27")
def test_the_mesh_may_ask_for_more(lab: Lab) -> None:
    with http_app() as app:
        only = TLSConfig(min_protocol_version="TLSV1_3")
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT), mesh_mtls=only)
        assert handshake(lab, app.port, V1_2) is None
        assert handshake(lab, app.port, V1_3) is not None


@pytest.mark.row("PA-12")
def test_the_mesh_may_name_other_suites(lab: Lab) -> None:
    with http_app() as app:
        one = TLSConfig(cipher_suites=("ECDHE-ECDSA-AES128-GCM-SHA256",))
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT), mesh_mtls=one)
        assert handshake(lab, app.port, V1_2, "ECDHE-ECDSA-AES128-GCM-SHA256") is not None
        assert handshake(lab, app.port, V1_2, "ECDHE-ECDSA-AES256-GCM-SHA384") is None


@pytest.mark.row("CW-07", "CW-06")
@pytest.mark.parametrize("kind", ["foreign", "expired", "none"])
def test_a_caller_without_a_certificate_of_worth_is_refused(lab: Lab, kind: str) -> None:
    with http_app() as app:
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT))
        honest = lab.client_sds
        if kind == "foreign":
            lab.client_sds = Authority().write(lab.directory / kind, CLIENT_ID, root=lab.authority.root)
        elif kind == "expired":
            lab.client_sds = lab.authority.write(lab.directory / kind, CLIENT_ID, ends=timedelta(minutes=-1))
        if kind == "none":
            assert not _without_certificate(lab, app)
        else:
            assert lab.call(app.port, request(), ALPN) == b""
        assert app.seen == []
        lab.client_sds = honest
        assert lab.call(app.port, request(), ALPN).endswith(b"hello")


def _without_certificate(lab: Lab, app: App) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(lab.client_sds / "root.pem")
    context.set_alpn_protocols(ALPN)
    try:
        with socket.create_connection((SERVER_HOST, app.port), 5) as plain, context.wrap_socket(plain) as connection:
            connection.sendall(request())
            return connection.recv(100)
    except (ConnectionError, ssl.SSLError):
        return b""


@pytest.mark.row("CW-07", "CW-06")
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("foreign", "CERTIFICATE_VERIFY_FAILED"),
        ("expired", "CERTIFICATE_VERIFY_FAILED"),
        ("other account", "CERTIFICATE_VERIFY_FAILED"),
        ("other namespace", "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_a_server_that_is_not_who_it_should_be_gives_503_and_uf(lab: Lab, kind: str, reason: str) -> None:
    with http_app() as app:
        directory = lab.directory / "impostor"
        if kind == "foreign":
            lab.server_sds = Authority().write(directory, SERVER_ID, root=lab.authority.root)
        elif kind == "expired":
            lab.server_sds = lab.authority.write(directory, SERVER_ID, ends=timedelta(minutes=-1))
        else:
            name = (
                SERVER_ID.replace("sa/server", "sa/thief")
                if kind == "other account"
                else SERVER_ID.replace("/bar/", "/foo/")
            )
            lab.server_sds = lab.authority.write(directory, name)
        lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT))
        lab.use_client_certificates()
        cluster, port = mesh_cluster(app.port), free_port()
        log = lab.directory / "client" / "access.log"
        client = lab.client(cluster, outbound_listener(port, cluster.name, mesh_config(log)))
        assert get(port) == 503
        assert app.seen == []
        (line,) = wait_for(client.access_lines)
        assert " 503 UF " in line
        assert reason in line
