from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.service_entries import addresses_required, conflicting_protocols
from tests.unit.analyze.estates import Json, fields, found, messages, obj


def entry(name: str = "e", protocol: str = "TCP", namespace: str = "default", **spec: Any) -> Json:
    ports = [{"number": 80, "name": "p", "protocol": protocol}]
    status = {"status": spec.pop("status")} if "status" in spec else {}
    return obj("ServiceEntry", name, {"hosts": ["x.org"], "ports": ports, **spec}, namespace, **status)


@pytest.mark.row("IM-21")
def test_tcp_without_an_address() -> None:
    told = [("IST0134", "spec.ports[0].name")]
    for protocol in ("TCP", "tcp", ""):
        assert fields(addresses_required, entry(protocol=protocol)) == told
    assert fields(addresses_required, entry(resolution="DNS")) == told
    assert fields(addresses_required, entry(protocol="HTTP")) == []
    assert fields(addresses_required, entry(addresses=["10.0.0.1"])) == []
    assert fields(addresses_required, entry(status={"addresses": [{"value": "240.240.0.1"}]})) == []


@pytest.mark.row("IM-21")
def test_addresses_that_the_proxy_gives() -> None:
    def codes(**metadata: str) -> int:
        return len(fields(addresses_required, entry(), mesh={"defaultConfig": {"proxyMetadata": metadata}}))

    assert codes(ISTIO_META_DNS_CAPTURE="true") == 1
    assert codes(ISTIO_META_DNS_CAPTURE="true", ISTIO_META_DNS_AUTO_ALLOCATE="true") == 0
    assert codes(ISTIO_META_DNS_CAPTURE="true", PILOT_ENABLE_IP_AUTOALLOCATE="true") == 0
    assert codes(ISTIO_META_DNS_AUTO_ALLOCATE="true") == 1


BOTH = [("IST0177", "ServiceEntry default/a"), ("IST0177", "ServiceEntry default/b")]


@pytest.mark.row("IM-51")
def test_two_protocols_of_one_port() -> None:
    assert found(conflicting_protocols, entry("a", "HTTP"), entry("b", "TCP")) == BOTH
    assert found(conflicting_protocols, entry("a", "http"), entry("b", "HTTP")) == []
    assert found(conflicting_protocols, entry("a", "HTTP"), entry("b", "")) == BOTH
    assert found(conflicting_protocols, entry("a", "HTTP"), entry("b", "TCP", hosts=["y.org"])) == []
    assert fields(conflicting_protocols, entry("a", "HTTP"), entry("b", "TCP"))[0] == ("IST0177", "metadata.name")
    text = messages(conflicting_protocols, entry("b", "TCP"), entry("a", "HTTP"))[0]
    assert "default/a, default/b give x.org, port 80, different protocols: HTTP, TCP" in text


@pytest.mark.row("IM-51")
def test_entries_that_never_meet() -> None:
    here, there = entry("a", "HTTP", exportTo=["."]), entry("b", "TCP", "other", exportTo=["."])
    assert found(conflicting_protocols, here, there) == []
    told = [("IST0177", "ServiceEntry default/a"), ("IST0177", "ServiceEntry other/b")]
    assert found(conflicting_protocols, here, entry("b", "TCP", "other")) == told
    assert found(conflicting_protocols, here, entry("b", "TCP", "other", exportTo=["default"])) == told


@pytest.mark.row("IM-51")
def test_one_entry_may_contradict_itself() -> None:
    ports = [{"number": 80, "name": "p", "protocol": "HTTP"}, {"number": 80, "name": "q", "protocol": "TCP"}]
    assert found(conflicting_protocols, entry("a", ports=ports)) == [("IST0177", "ServiceEntry default/a")]
