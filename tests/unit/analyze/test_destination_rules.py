from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.destination_rules import ca_certificates, subsets
from tests.unit.analyze.estates import Json, fields, found, messages, obj, pod, service


def rule(host: str = "a", **spec: Any) -> Json:
    return obj("DestinationRule", "r", {"host": host, **spec})


@pytest.mark.row("IM-17")
def test_tls_without_a_ca() -> None:
    for mode in ("SIMPLE", "MUTUAL"):
        bare = rule(trafficPolicy={"tls": {"mode": mode}})
        assert fields(ca_certificates, bare) == [("IST0128", "spec.trafficPolicy.tls.caCertificates")]
    for tls in ({"mode": "SIMPLE", "caCertificates": "/ca"}, {"mode": "ISTIO_MUTUAL"}, {"mode": "DISABLE"}):
        assert fields(ca_certificates, rule(trafficPolicy={"tls": tls})) == []


@pytest.mark.row("IM-17")
def test_tls_of_a_port_without_a_ca() -> None:
    ports: list[Json] = [{"port": {"number": 443}, "tls": {"mode": "SIMPLE"}}, {"port": {"number": 80}}]
    ports.append({"port": {"number": 444}, "tls": {"mode": "DISABLE"}})
    assert fields(ca_certificates, rule(trafficPolicy={"portLevelSettings": ports})) == [
        ("IST0129", "spec.trafficPolicy.portLevelSettings[0].tls.caCertificates")
    ]
    both = rule("x.org", trafficPolicy={"tls": {"mode": "MUTUAL"}, "portLevelSettings": ports})
    assert [code for code, _ in fields(ca_certificates, both)] == ["IST0128", "IST0129"]
    assert "port number:443" in messages(ca_certificates, both)[1]


@pytest.mark.row("IM-17")
def test_a_secret_counts_with_a_selector_only() -> None:
    tls = {"mode": "SIMPLE", "credentialName": "c"}
    told = [("IST0128", "spec.trafficPolicy.tls.caCertificates")]
    selector = {"matchLabels": {"app": "a"}}
    assert fields(ca_certificates, rule(trafficPolicy={"tls": tls}, workloadSelector=selector)) == []
    assert fields(ca_certificates, rule(trafficPolicy={"tls": tls})) == told
    bare = rule(trafficPolicy={"tls": {"mode": "SIMPLE"}}, workloadSelector=selector)
    assert fields(ca_certificates, bare) == told


HTTP = {"port": 80, "name": "http"}
V1 = {"name": "v1", "labels": {"version": "v1"}}
EMPTY = [("IST0173", "DestinationRule default/r")]


@pytest.mark.row("IM-48")
def test_a_host_that_is_not_there() -> None:
    assert found(subsets, rule("ghost", subsets=[V1])) == [("IST0174", "DestinationRule default/r")]
    assert found(subsets, rule("a"), service("a", HTTP)) == []
    assert found(subsets, rule("a.default"), service("a", HTTP)) == [("IST0174", "DestinationRule default/r")]
    assert found(subsets, rule("a"), service("a", HTTP, namespace="other")) == [
        ("IST0174", "DestinationRule default/r")
    ]
    entry = obj("ServiceEntry", "e", {"hosts": ["*.x.org"], "ports": []}, "other")
    assert found(subsets, rule("api.x.org"), entry) == []


@pytest.mark.row("IM-47")
def test_a_subset_of_nothing() -> None:
    assert found(subsets, rule(subsets=[V1]), service("a", HTTP)) == EMPTY
    assert found(subsets, rule(subsets=[V1]), service("a", HTTP), pod("p", version="v2")) == EMPTY
    assert found(subsets, rule(subsets=[V1]), service("a", HTTP), pod("p", "far", version="v1")) == []
    assert found(subsets, rule(subsets=[{"name": "all"}]), service("a", HTTP), pod("p")) == []


@pytest.mark.row("IM-47")
def test_subsets_of_a_service_entry_by_its_own_selector() -> None:
    spec = {"hosts": ["x.org"], "ports": [], "workloadSelector": {"labels": {"app": "a"}}}
    entry = obj("ServiceEntry", "e", spec)
    assert found(subsets, rule("x.org", subsets=[V1]), entry, pod("p", app="a", version="v1")) == []
    assert found(subsets, rule("x.org", subsets=[V1]), entry, pod("p", app="b", version="v1")) == EMPTY


@pytest.mark.row("IM-47")
def test_subsets_by_place() -> None:
    place = {
        "topology.kubernetes.io/region": "r1",
        "topology.kubernetes.io/zone": "z1",
        "topology.istio.io/subzone": "s1",
    }
    near = {"name": "near", "labels": {**place, "kubernetes.io/hostname": "n1"}}
    on_node = pod("p", spec={"nodeName": "n1", "containers": []})
    node = obj("Node", "n1", labels=place)
    assert found(subsets, rule(subsets=[near]), service("a", HTTP), on_node, node) == []
    assert fields(subsets, rule(subsets=[near]), service("a", HTTP), on_node)[0][1] == "spec.subsets[0].name"
    elsewhere = obj("Node", "n1", labels={"topology.kubernetes.io/region": "r2"})
    assert found(subsets, rule(subsets=[near]), service("a", HTTP), on_node, elsewhere) == EMPTY


@pytest.mark.row("IM-47")
def test_files_alone_count_the_pods_that_their_workloads_will_have() -> None:
    template = {"metadata": {"labels": {"version": "v1"}}, "spec": {}}
    coming = obj("Deployment", "a", {"template": template})
    wanted = [rule(subsets=[V1]), service("a", HTTP)]
    assert found(subsets, *wanted, coming, files_only=True) == []
    assert found(subsets, *wanted, coming) == EMPTY
    none = obj("Deployment", "a", {"replicas": 0, "template": template})
    assert found(subsets, *wanted, none, files_only=True) == EMPTY
