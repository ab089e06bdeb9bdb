from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from mizzen.model.resources import LISTENER
from tests.scenes import listener, unpacked
from tests.unit.translate.proxyless.scene import made

NAME = "xds.istio.io/grpc/lds/inbound/0.0.0.0:8080"


def peers(mode: str) -> str:
    return f"""
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: default, namespace: shop}}
spec: {{mtls: {{mode: {mode}}}}}
"""


def policy(action: str, more: str = "") -> str:
    return f"""
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {action.lower()}, namespace: shop}}
spec: {{action: {action}, {more}rules: [{{from: [{{source: {{namespaces: [bank]}}}}]}}]}}
"""


def chain(text: str) -> Any:
    (found,) = listener(made(text), NAME).filter_chains
    return found


def filters(text: str) -> list[Any]:
    manager = unpacked(chain(text).filters[0].typed_config, hcm_pb2.HttpConnectionManager)
    return list(manager.http_filters)


@pytest.mark.row("XD-20")
@pytest.mark.parametrize(("mode", "secure"), [("PERMISSIVE", True), ("STRICT", True), ("DISABLE", False)])
def test_a_server_has_one_chain_for_its_mode(mode: str, secure: bool) -> None:
    found = chain(peers(mode))
    assert found.HasField("transport_socket") is secure
    assert found.name == ("inbound-mtls" if secure else "inbound-plaintext")
    if secure:
        context = unpacked(found.transport_socket.typed_config, tls_pb2.DownstreamTlsContext)
        assert context.require_client_certificate.value


def test_both_families_have_a_name() -> None:
    names = [name for name in made().get(LISTENER) if name.startswith("xds.istio.io")]
    assert names == [NAME, "xds.istio.io/grpc/lds/inbound/[::]:8080"]


@pytest.mark.row("XD-20")
def test_policies_are_filters_with_names_of_their_own() -> None:
    names = [f.name for f in filters(policy("DENY") + policy("ALLOW"))]
    assert names == ["envoy.filters.http.rbac.0", "envoy.filters.http.rbac.1", "envoy.filters.http.router"]


@pytest.mark.row("XD-20")
def test_a_custom_policy_lets_nobody_in() -> None:
    first = filters(policy("CUSTOM", "provider: {name: asks}, "))[0]
    rules = unpacked(first.typed_config, rbac_pb2.RBAC).rules
    assert rules.action == rules.ALLOW
    assert not rules.policies
