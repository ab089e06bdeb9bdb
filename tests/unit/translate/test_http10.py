"""HTTP/1.0 by flag, in every direction."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from mizzen.resolve import view
from mizzen.translate import resources
from tests.scenes import Scene, listener, unpacked

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}]}
"""


def chain(where: str, name: str, which: int, **flags: str) -> Any:
    scene = Scene(GATEWAY)
    proxy = msgspec.structs.replace(scene.proxy(where), flags=flags)
    return listener(resources(view(scene.snapshot, proxy)), name).filter_chains[which]


def accepts(found: Any) -> bool:
    manager = unpacked(found.filters[-1].typed_config, hcm.HttpConnectionManager)
    return bool(manager.http_protocol_options.accept_http_10)


@pytest.mark.row("PR-10")
@pytest.mark.parametrize(
    ("where", "name", "which"),
    [("shop/web-0", "0.0.0.0_80", 0), ("shop/web-0", "virtualInbound", -1), ("istio-system/edge-0", "0.0.0.0_8080", 0)],
)
def test_only_with_the_flag(where: str, name: str, which: int) -> None:
    assert not accepts(chain(where, name, which))
    assert accepts(chain(where, name, which, HTTP10="1"))


@pytest.mark.row("PR-10")
def test_the_inspector_chooses_the_http_chain_for_it() -> None:
    plain, flagged = chain("shop/web-0", "0.0.0.0_80", 0), chain("shop/web-0", "0.0.0.0_80", 0, HTTP10="1")
    assert list(plain.filter_chain_match.application_protocols) == ["http/1.1", "h2c"]
    assert "http/1.0" in flagged.filter_chain_match.application_protocols
