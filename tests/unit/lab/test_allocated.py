"""Allocated addresses in the status of ServiceEntries."""

from typing import Any

import pytest

from mizzen.lab.allocated import Allocation

Raw = dict[str, Any]


def entry(name: str, *hosts: str, generation: int = 1, labels: dict[str, str] | None = None, **spec: Any) -> Raw:
    ports = [{"number": 9000, "name": "tcp", "protocol": "TCP"}]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": name, "namespace": "shop", "uid": name, "generation": generation, "labels": labels or {}},
        "spec": {"hosts": list(hosts), "ports": ports, "resolution": "STATIC", **spec},
    }


def given(*entries: Raw, **environment: str) -> dict[str, list[Raw]]:
    return {raw["metadata"]["name"]: s["addresses"] for raw, s in Allocation(environment).statuses(entries, [])}


@pytest.mark.row("SE-14")
def test_each_host_has_its_address() -> None:
    found = given(entry("a", "a.test", "b.test", resolution="NONE"), entry("c", "c.test", "d.test"))
    assert [item["host"] for item in found["c"]] == ["c.test", "d.test"]
    assert len({item["value"] for item in found["c"]}) == 2
    assert all(item["value"].startswith("240.240.") for item in found["c"])
    assert "a" not in found


@pytest.mark.row("SE-14")
def test_none_where_addresses_are_written_or_not_wanted() -> None:
    off = {"networking.istio.io/enable-autoallocate-ip": "false"}
    assert given(entry("a", "a.test", addresses=["1.2.3.4"]), entry("b", "b.test", labels=off)) == {}
    assert given(entry("a", "a.test"), PILOT_ENABLE_IP_AUTOALLOCATE="false") == {}


@pytest.mark.row("SE-14")
def test_a_status_is_written_once_and_taken_away_with_its_reason() -> None:
    allocation = Allocation({})
    raw = entry("a", "a.test")
    ((_, status),) = allocation.statuses([raw], [])
    stored = {**raw, "status": {**status, "conditions": []}}
    assert allocation.statuses([stored], []) == []
    written = entry("a", "a.test", generation=2, addresses=["1.2.3.4"])
    ((_, cleared),) = allocation.statuses([{**written, "status": stored["status"]}], [])
    assert cleared == {"conditions": []}
    labelled = entry("a", "a.test", labels={"networking.istio.io/enable-autoallocate-ip": "false"})
    ((_, cleared),) = allocation.statuses([{**labelled, "status": stored["status"]}], [])
    assert cleared == {"conditions": []}
