"""Hosts, gateways, tls and tcp routes of a VirtualService."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings

HTTP = [{"route": [{"destination": {"host": "b"}}]}]
TCP = [{"route": [{"destination": {"host": "b"}}]}]


@pytest.mark.parametrize(("spec", "wrong"), [
    ({"hosts": ["a"], "http": HTTP}, []),
    ({"hosts": ["*"], "gateways": ["g"], "http": HTTP}, []),
    ({"hosts": ["*"], "http": HTTP}, ["spec.hosts[0]"]),
    ({"hosts": ["*"], "gateways": ["g", "mesh"], "http": HTTP}, ["spec.hosts[0]"]),
    ({"hosts": ["*.com", "a.com"], "http": HTTP}, ["spec.hosts[1]"]),
    ({"hosts": ["a"], "gateways": ["b@d"], "http": HTTP}, ["spec.gateways[0]"]),
    ({"hosts": ["a"], "gateways": ["./g", "ns/g", "mesh"], "http": HTTP}, []),
    ({"hosts": ["a"]}, ["spec"]),
    ({"hosts": ["a"], "http": HTTP, "exportTo": ["~"]}, ["spec.exportTo[0]"]),
    ({"hosts": ["a"], "tcp": [{}]}, ["spec.tcp[0].route"]),
    ({"hosts": ["a"], "tcp": [{"match": [{"port": 0, "destinationSubnets": ["x"]}], **TCP[0]}]}, ["spec.tcp[0].match[0].destinationSubnets[0]"]),
    ({"hosts": ["a.com"], "tls": TCP}, ["spec.tls[0].match"]),
    ({"hosts": ["a.com"], "tls": [{"match": [{"sniHosts": ["b.com"]}], **TCP[0]}]}, ["spec.tls[0].match[0].sniHosts[0]"]),
    ({"hosts": ["*.com"], "tls": [{"match": [{"sniHosts": ["b.com"]}], **TCP[0]}]}, []),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("VirtualService", spec) == wrong


def test_a_delegate_has_only_http_routes() -> None:
    assert errors("VirtualService", {"http": HTTP}) == []
    assert errors("VirtualService", {"gateways": ["g"], "tcp": TCP}) == ["spec.gateways", "spec.tcp", "spec.http"]


def test_old_and_useless_things_are_warned_about() -> None:
    assert warnings("VirtualService", {"hosts": ["a"], "gateways": ["g.ns"], "http": HTTP}) == ["spec.gateways[0]"]
    match = {"match": [{"sourceSubnet": "1.2.3.0/24"}], **TCP[0]}
    assert warnings("VirtualService", {"hosts": ["a"], "tcp": [match]}) == ["spec.tcp[0].match[0].sourceSubnet"]
    sni = {"match": [{"sniHosts": ["1.2.3.4"]}], **TCP[0]}
    assert warnings("VirtualService", {"hosts": ["1.2.3.4"], "tls": [sni]}) == ["spec.tls[0].match[0].sniHosts[0]"]


@pytest.mark.row("CM-10")
@pytest.mark.parametrize(
    ("host", "sni", "covered"),
    [
        ("*", "a.com", True),
        ("*.a.com", "b.a.com", True),
        ("*.a.com", "a.com", False),
        ("*.a.com", "*.b.a.com", True),
        ("a.com", "a.com", True),
        ("a.com", "b.com", False),
    ],
)
def test_the_sni_is_one_of_the_hosts(host: str, sni: str, covered: bool) -> None:
    spec = {"hosts": [host], "gateways": ["g"], "tls": [{"match": [{"sniHosts": [sni]}], **TCP[0]}]}
    assert errors("VirtualService", spec) == ([] if covered else ["spec.tls[0].match[0].sniHosts[0]"])


@pytest.mark.row("VS-01")
def test_each_overlapping_host_is_told_once_however_many_there_are() -> None:
    """Telling every pair of some thousand equal hosts would fill the memory."""
    hosts = ["a.com", "*.b.com", "x.b.com", "b.com", *["a.com"] * 3000]
    spec = {"hosts": hosts, "http": [{"route": [{"destination": {"host": "a"}}]}]}
    expected = ["spec.hosts[2]", *(f"spec.hosts[{index}]" for index in range(4, len(hosts)))]
    assert errors("VirtualService", spec) == expected
