"""EndpointSlices that somebody wrote."""

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.check import validate


def wrong(addresses: list[str], port: int = 80, kind: str = "IPv4") -> list[str]:
    document: dict[str, Any] = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "x", "namespace": "shop"},
        "addressType": kind,
        "ports": [{"name": "http", "port": port}],
        "endpoints": [{"addresses": addresses}],
    }
    obj = decode(document).object
    assert obj is not None
    return [finding.field for finding in validate(obj)]


@pytest.mark.row("OL-12")
def test_addresses_and_ports() -> None:
    assert wrong(["10.0.0.1", "10.0.0.2"]) == []
    assert wrong(["fd00::1"], kind="IPv6") == []
    assert wrong(["a.example"], kind="FQDN") == []
    assert wrong(["10.0.0.1", "fd00::1", "here"]) == ["endpoints[0].addresses[1]", "endpoints[0].addresses[2]"]
    assert wrong([], port=-1) == ["ports[0].port"]
    assert wrong([], port=65536) == ["ports[0].port"]
