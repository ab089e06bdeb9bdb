"""What the agent reads from its command line, environment and pod."""

import pytest

from mizzen.agent.settings import Settings, downward, from_environment, seconds


@pytest.mark.row("AG-01")
def test_what_injection_wrote(tmp_path):
    (tmp_path / "labels").write_text('app="web"\nnote="a \\"quoted\\" text"\n')
    env = {
        "POD_NAME": "web-1",
        "POD_NAMESPACE": "shop",
        "INSTANCE_IP": "10.0.0.9",
        "PROXY_CONFIG": '{"concurrency":3,"terminationDrainDuration":"20s","discoveryAddress":"cp.x:1"}\n',
        "ISTIO_META_DNS_CAPTURE": "true",
        "ISTIO_METAJSON_EXTRA": '{"DEEP":{"a":1}}',
        "MIZZEN_POD_INFO": str(tmp_path),
    }
    found = from_environment("router", {"domain": "$(POD_NAMESPACE).svc.example"}, env)
    assert found.node_id == "router~10.0.0.9~web-1.shop~shop.svc.example"
    assert (found.concurrency, found.termination_drain, found.discovery) == (3, 20.0, ("cp.x", 1))
    assert found.node_metadata == {"DNS_CAPTURE": "true", "DEEP": {"a": 1}}
    assert found.labels == {"app": "web", "note": 'a "quoted" text'}
    assert found.certificate_url == "https://cp.x:443/agent/v1/certificate"


def test_defaults_are_the_pods_paths():
    found = Settings()
    assert str(found.sds_path) == "/etc/istio/proxy/sds"
    assert found.discovery == ("istiod.istio-system.svc", 15012)
    assert (found.status_port, found.admin_port, found.termination_drain, found.drain_time) == (15020, 15000, 5.0, 45)


@pytest.mark.parametrize(
    ("text", "expected"), [("1h30m", 5400.0), ("200ms", 0.2), ("", 7.0), ("0", 0.0), ("24h0m0s", 86400.0)]
)
def test_durations(text, expected):
    assert seconds(text, 7.0) == expected


@pytest.mark.parametrize("env", [{"PROXY_CONFIG": "{"}, {"ISTIO_CPU_LIMIT": "two"}, {"SECRET_TTL": "soon"}])
def test_a_bad_value_is_named(env):
    with pytest.raises(ValueError, match=next(iter(env)) + "|soon"):
        from_environment("sidecar", {}, env)


def test_no_downward_file_is_empty(tmp_path):
    assert downward(tmp_path / "none") == {}


@pytest.mark.row("PC-03")
@pytest.mark.parametrize(
    ("config", "limit", "expected"), [({}, 3, 3), ({"concurrency": 2}, 3, 2), ({"concurrency": 0}, 3, 0), ({}, 0, 0)]
)
def test_threads_are_the_configured_else_the_cpu_limit_and_zero_means_all(config, limit, expected):
    assert Settings(proxy_config=config, cpu_limit=limit).concurrency == expected


@pytest.mark.row("PC-04", "PC-05")
def test_ports_addresses_and_drains_of_proxy_config():
    config = {
        "discoveryAddress": "istiod-canary.istio-system.svc:15012",
        "proxyAdminPort": 15900,
        "statusPort": 15920,
        "drainDuration": "90s",
        "terminationDrainDuration": "20s",
    }
    found = Settings(proxy_config=config)
    assert found.discovery == ("istiod-canary.istio-system.svc", 15012)
    assert (found.admin_port, found.status_port) == (15900, 15920)
    assert (found.drain_time, found.termination_drain) == (90, 20.0)


@pytest.mark.row("PC-07")
def test_variables_become_node_metadata():
    found = from_environment("sidecar", {}, {"ISTIO_META_TEAM": "blue", "OTHER": "x"})
    assert found.node_metadata == {"TEAM": "blue"}
