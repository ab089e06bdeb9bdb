"""Mesh config inside a ConfigMap, down to the line."""

import pytest

from mizzen.api.kubernetes import ConfigMap
from mizzen.sources.files import parse
from mizzen.sources.mesh import is_mesh_config, joined, line_inside, map_names, read_mesh

TEXT = "data:\n  mesh: |\n    trustDomain: td\n    nonsense: 1\n"


def test_the_line_of_a_key_inside() -> None:
    (document,) = parse(TEXT).documents
    reading = read_mesh(ConfigMap(data=document.raw["data"]))
    assert reading.config.trust_domain == "td"
    assert line_inside(document, reading, reading.problems[0].path) == 4


def test_which_one_it_is() -> None:
    assert is_mesh_config("ConfigMap", "istio-system", "istio")
    assert not is_mesh_config("ConfigMap", "default", "istio")
    assert read_mesh(ConfigMap()).config.trust_domain == "cluster.local"


@pytest.mark.row("MC-01")
def test_which_maps_are_read() -> None:
    assert map_names() == map_names("") == ("istio",)
    assert map_names("canary", "base") == ("base", "istio-canary")
    assert is_mesh_config("ConfigMap", "istio-system", "base", map_names("canary", "base"))


@pytest.mark.row("MC-01")
def test_what_is_merged_and_what_is_replaced() -> None:
    lower = {
        "accessLogFile": "/a",
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "defaultConfig": {"concurrency": 1, "proxyMetadata": {"A": "1", "B": "1"}},
        "defaultProviders": {"tracing": ["a"], "metrics": ["m"]},
        "extensionProviders": [{"name": "x", "zipkin": {}}, {"name": "y"}],
        "trustDomainAliases": ["a", "b"],
    }
    upper = {
        "outboundTrafficPolicy": {"egressProxy": {}},
        "defaultConfig": {"statusPort": 5, "proxyMetadata": {"B": "2"}},
        "defaultProviders": {"tracing": ["b"]},
        "extensionProviders": [{"name": "x", "datadog": {}}],
        "trustDomainAliases": ["b", "c"],
    }
    found = joined(lower, upper)
    assert found["accessLogFile"] == "/a"
    assert found["outboundTrafficPolicy"] == {"egressProxy": {}}
    assert found["defaultConfig"] == {"concurrency": 1, "statusPort": 5, "proxyMetadata": {"A": "1", "B": "2"}}
    assert found["defaultProviders"] == {"tracing": ["b"], "metrics": ["m"]}
    assert found["extensionProviders"] == [{"name": "x", "datadog": {}}, {"name": "y"}]
    assert found["trustDomainAliases"] == ["a", "b", "c"]


@pytest.mark.row("MC-01", "MC-30")
def test_errors_break_it_and_warnings_do_not() -> None:
    assert read_mesh(ConfigMap(data={"mesh": "connectTimeout: soon"})).broken
    assert read_mesh(ConfigMap(data={"mesh": "a: ["})).broken
    warned = read_mesh(ConfigMap(data={"mesh": "moon: 1", "meshNetworks": "networks: {n: {suns: 2}}"}))
    assert not warned.broken
    assert not warned.networks_broken
    assert [problem.path for problem in warned.problems] == ["data.mesh.moon", "data.meshNetworks.networks.n.suns"]


@pytest.mark.row("MC-30")
def test_networks_stand_beside_the_mesh_config_and_break_alone() -> None:
    good = read_mesh(ConfigMap(data={"meshNetworks": "networks: {n: {gateways: [{address: 1.2.3.4, port: 15443}]}}"}))
    assert good.networks is not None
    assert good.networks.networks["n"].gateways[0].port == 15443
    for text in ("networks: [", "networks: {n: {gateways: [{port: 15443}]}}"):
        bad = read_mesh(ConfigMap(data={"mesh": "{}", "meshNetworks": text}))
        assert (bad.broken, bad.networks_broken) == (False, True)
    assert read_mesh(ConfigMap(data={"mesh": "{}"})).networks is None
