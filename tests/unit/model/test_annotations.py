from __future__ import annotations

import pytest

from mizzen.model.annotations import problems

TRAFFIC, SIDECAR = "traffic.sidecar.istio.io/", "sidecar.istio.io/"


@pytest.mark.row("AN-10")
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (TRAFFIC + "includeOutboundIPRanges", "*", "10.0.0.1"),
        (TRAFFIC + "excludeOutboundIPRanges", "10.0.0.0/8,fd00::/8", "*"),
        (TRAFFIC + "includeInboundPorts", "*", "http"),
        (TRAFFIC + "excludeInboundPorts", "80, 443", "70000"),
        (TRAFFIC + "excludeInterfaces", "eth1,br-0", "a b"),
        (SIDECAR + "interceptionMode", "TPROXY", "BRIDGE"),
        (SIDECAR + "nativeSidecar", "T", "yes"),
        (SIDECAR + "userVolume", '{"v": {"emptyDir": {}}}', "[]"),
        (SIDECAR + "proxyCPU", "100m", "much"),
        ("status.sidecar.istio.io/port", "0", "-1"),
        ("readiness.status.sidecar.istio.io/periodSeconds", "5", "1.5"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_name(name: str, good: str, bad: str) -> None:
    assert problems({name: good}) == []
    assert [found for found, _ in problems({name: bad, "other": bad})] == [name]


def test_all_problems_are_told_in_order() -> None:
    given = {TRAFFIC + "excludeInboundPorts": "x", SIDECAR + "interceptionMode": "x", TRAFFIC + "excludeInterfaces": ""}
    assert [name for name, _ in problems(given)] == [SIDECAR + "interceptionMode", TRAFFIC + "excludeInboundPorts"]
