"""TLS of the user's own at a sidecar's ingress listener, from the Sidecar to the listener and its secrets."""

from __future__ import annotations

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2

from mizzen.model.resources import SECRET
from tests.scenes import Scene, listener, unpacked

TEXT = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own, namespace: shop}
spec:
  workloadSelector: {labels: {app: web}}
  ingress:
  - port: {number: 9443, name: https, protocol: %s}
    defaultEndpoint: 127.0.0.1:8080
    tls: {mode: MUTUAL, serverCertificate: /c/tls.crt, privateKey: /c/tls.key, caCertificates: /c/ca.crt}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: own, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  portLevelMtls: {9443: {mode: %s}}
"""


def chains(protocol: str, mode: str) -> list[tuple[str, str, bool]]:
    found = listener(Scene(TEXT % (protocol, mode)).resources(), "virtualInbound").filter_chains
    return [
        (c.filter_chain_match.transport_protocol, c.filters[-1].name.rpartition(".")[2], c.HasField("transport_socket"))
        for c in found
        if c.filter_chain_match.destination_port.value == 9443
    ]


@pytest.mark.row("SC-05")
def test_one_chain_ends_tls_and_reads_what_the_protocol_says() -> None:
    assert chains("HTTPS", "DISABLE") == [("tls", "http_connection_manager", True)]
    assert chains("TLS", "DISABLE") == [("tls", "tcp_proxy", True)]


@pytest.mark.row("SC-05")
def test_beside_mesh_tls_and_on_plain_ports_it_does_not_count() -> None:
    assert chains("HTTP", "DISABLE") == [("raw_buffer", "http_connection_manager", False)]
    assert chains("HTTPS", "PERMISSIVE") == [
        ("tls", "tcp_proxy", True),
        ("tls", "tcp_proxy", False),
        ("raw_buffer", "tcp_proxy", False),
    ]


@pytest.mark.row("SC-05")
def test_certificate_and_roots_are_files_that_envoy_watches() -> None:
    made = Scene(TEXT % ("HTTPS", "DISABLE")).resources()
    (chain,) = [
        c for c in listener(made, "virtualInbound").filter_chains if c.filter_chain_match.destination_port.value == 9443
    ]
    context = unpacked(chain.transport_socket.typed_config, tls_pb2.DownstreamTlsContext)
    assert context.require_client_certificate.value
    assert [s.name for s in context.common_tls_context.tls_certificate_sds_secret_configs] == [
        "file-cert:/c/tls.crt~/c/tls.key"
    ]
    held = {name: secret_pb2.Secret.FromString(r.body) for name, r in made.get(SECRET).items()}
    assert set(held) == {"file-cert:/c/tls.crt~/c/tls.key", "file-root:/c/ca.crt"}
    assert held["file-cert:/c/tls.crt~/c/tls.key"].tls_certificate.watched_directory.path == "/c"
    names = [f.name for f in listener(made, "virtualInbound").listener_filters]
    assert "envoy.filters.listener.tls_inspector" in names
