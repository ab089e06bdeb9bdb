from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.gateway_conflicts import conflicting_gateways, duplicate_certificates
from tests.unit.analyze.estates import Json, fields, found, messages, obj, pod

A = {"app": "a"}


def gateway(name: str, *servers: Json, namespace: str = "default", selector: dict[str, str] | None = None) -> Json:
    spec = {"servers": list(servers), "selector": A if selector is None else selector}
    return obj("Gateway", name, spec, namespace)


def server(port: int = 443, hosts: tuple[str, ...] = ("x.org",), **more: Any) -> Json:
    return {"port": {"number": port, "name": "p", "protocol": "HTTPS"}, "hosts": list(hosts), **more}


def tls(**settings: Any) -> Json:
    return server(tls={"mode": "SIMPLE", **settings})


@pytest.mark.row("IM-24")
def test_one_certificate_at_two_gateways() -> None:
    one, two = gateway("one", tls(credentialName="c")), gateway("two", tls(credentialName="c"), namespace="b")
    told = [("IST0138", "Gateway default/one"), ("IST0138", "Gateway b/two")]
    assert found(duplicate_certificates, one, two) == told
    assert fields(duplicate_certificates, one, two)[0] == ("IST0138", "metadata.name")
    other = gateway("other", tls(credentialName="d"), server())
    assert found(duplicate_certificates, one, other) == []
    assert found(duplicate_certificates, one, two, other) == told
    files = {"serverCertificate": "/c", "privateKey": "/k"}
    assert (
        found(duplicate_certificates, gateway("one", tls(**files)), gateway("two", tls(**files), namespace="b")) == told
    )
    assert (
        found(
            duplicate_certificates,
            gateway("one", tls(**files)),
            gateway("two", tls(serverCertificate="/c", privateKey="/l")),
        )
        == []
    )
    assert found(duplicate_certificates, gateway("one", tls(credentialName="c"), tls(credentialName="c"))) == []
    for half in ({"serverCertificate": "/c"}, {"privateKey": "/k"}, {}):
        assert found(duplicate_certificates, gateway("one", tls(**half)), gateway("two", tls(**half))) == []


@pytest.mark.row("IM-24")
def test_only_a_narrower_selector_is_told() -> None:
    wide = gateway("wide", tls(credentialName="c"))
    narrow = gateway("narrow", tls(credentialName="c"), selector={**A, "zone": "z"})
    assert found(duplicate_certificates, wide, narrow) == [("IST0138", "Gateway default/wide")]
    other = gateway("other", tls(credentialName="c"), selector={"app": "b"})
    assert found(duplicate_certificates, wide, other) == []


BOTH = [("IST0145", "Gateway default/one"), ("IST0145", "Gateway b/two")]


@pytest.mark.row("IM-30")
def test_two_gateways_for_one_host() -> None:
    assert found(conflicting_gateways, gateway("one", server()), gateway("two", server(), namespace="b")) == BOTH
    for other in (server(80), server(hosts=("y.org",)), server(bind="10.0.0.1"), server(hosts=("*.org",))):
        assert found(conflicting_gateways, gateway("one", server()), gateway("two", other)) == []
    assert found(conflicting_gateways, gateway("one", server(), server())) == []


@pytest.mark.row("IM-30")
def test_selectors_that_differ_conflict_at_a_common_pod() -> None:
    one, two = gateway("one", server()), gateway("two", server(), namespace="b", selector={**A, "b": "c"})
    assert found(conflicting_gateways, one, two) == []
    assert found(conflicting_gateways, one, two, pod("p", app="a", b="c")) == BOTH
    assert found(conflicting_gateways, one, two, pod("p", app="a")) == []
    longer = gateway("two", server(), selector={"app": "ab"})
    assert found(conflicting_gateways, one, longer, pod("p", app="ab")) == []
    unlike = gateway("two", server(), selector={"z": "c"})
    assert found(conflicting_gateways, one, unlike, pod("p", app="a", z="c")) == []


@pytest.mark.row("IM-30")
def test_every_rival_is_named_once() -> None:
    gateways = [gateway(name, server(hosts=("x.org", "y.org"))) for name in ("c", "a", "b")]
    assert messages(conflicting_gateways, *gateways)[0] == (
        "the gateways default/a,default/b claim the same (selector app=a, port 443, hosts x.org,y.org)"
    )


@pytest.mark.row("IM-30")
def test_of_servers_on_one_port_the_last_counts() -> None:
    two = gateway("two", server(hosts=("x.org",)), server(hosts=("z.org",)))
    assert found(conflicting_gateways, gateway("one", server()), two) == [("IST0145", "Gateway default/two")]
