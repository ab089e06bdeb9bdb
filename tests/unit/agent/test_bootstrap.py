"""Rows AG-01, AG-06, ME-15, ME-16, PO-01, 07, 09: the bootstrap as a value."""

import json

import pytest

from mizzen.agent.bootstrap import bootstrap
from mizzen.agent.node import environment
from mizzen.agent.settings import Settings
from mizzen.agent.supervise import arguments
from mizzen.agent.wasm.settings import WasmSettings


def clusters(found):
    return {cluster["name"]: cluster for cluster in found["static_resources"]["clusters"]}


@pytest.mark.row("AG-01")
def test_discovery_is_delta_ads_over_mtls_with_file_secrets():
    found = bootstrap(Settings())
    assert found["dynamic_resources"]["ads_config"]["api_type"] == "DELTA_GRPC"
    assert found["dynamic_resources"]["lds_config"]["initial_fetch_timeout"] == "0s"
    cluster = clusters(found)["xds-grpc"]
    assert (cluster["type"], cluster["connect_timeout"]) == ("STRICT_DNS", "5s")
    (options,) = cluster["typed_extension_protocol_options"].values()
    http2 = options["explicit_http_config"]["http2_protocol_options"]
    assert http2 == {"connection_keepalive": {"interval": "30s", "timeout": "10s"}}
    tls = cluster["transport_socket"]["typed_config"]
    assert tls["sni"] == "istiod.istio-system.svc"
    source = tls["common_tls_context"]["tls_certificate_sds_secret_configs"][0]["sds_config"]["path_config_source"]
    assert source == {
        "path": "/etc/istio/proxy/sds/default.json",
        "watched_directory": {"path": "/etc/istio/proxy/sds"},
    }


@pytest.mark.row("PO-01", "PO-07", "PO-09")
def test_ports():
    found = bootstrap(Settings(envoy_status_port=15921, metrics_localhost_only=True))
    assert found["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 15000}
    listeners = {x["name"]: x["address"]["socket_address"]["address"] for x in found["static_resources"]["listeners"]}
    assert listeners == {"0.0.0.0_15090": "127.0.0.1", "0.0.0.0_15921": "0.0.0.0"}


@pytest.mark.row("AG-01")
def test_static_listeners_are_outside_every_limit_and_lead_to_the_agent():
    found = bootstrap(Settings())
    assert {"prometheus_stats", "agent", "xds-grpc"} == set(clusters(found))
    for listener in found["static_resources"]["listeners"]:
        assert listener["ignore_global_conn_limit"]
        assert listener["bypass_overload_manager"]
    assert found["node"]["id"].startswith("sidecar~")
    static = found["layered_runtime"]["layers"][0]["static_layer"]
    assert static["envoy.reloadable_features.http_reject_path_with_fragment"] is False


@pytest.mark.row("AG-17")
def test_envoys_own_lines():
    (text,) = bootstrap(Settings())["application_log_config"]["log_format"].values()
    assert text == "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t"
    (fields,) = bootstrap(Settings(log_as_json=True))["application_log_config"]["log_format"].values()
    assert (list(fields), fields["scope"]) == (["time", "level", "scope", "msg", "caller", "thread"], "envoy %n")


@pytest.mark.row("AG-12")
def test_the_poll_for_modules_goes_through_envoy_too():
    for settings, paths in (
        (Settings(wasm=WasmSettings(boot="b")), ["/agent/v1/modules"]),
        (
            Settings(wasm=WasmSettings(boot="b"), node_metadata={"DNS_CAPTURE": "true"}),
            ["/agent/v1/watch", "/agent/v1/modules"],
        ),
    ):
        found = bootstrap(settings)
        assert "agent-watch" in clusters(found)
        (listener,) = [x for x in found["static_resources"]["listeners"] if x["name"] == "agent-watch"]
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        routes = manager["route_config"]["virtual_hosts"][0]["routes"]
        assert [route["match"]["path"] for route in routes] == paths
        assert routes[-1]["match"]["headers"] == [{"name": ":method", "string_match": {"exact": "POST"}}]


def test_what_the_agent_asks_and_reports_goes_through_envoy_where_it_does_either():
    assert "agent-watch" not in clusters(bootstrap(Settings()))
    probe = {"readinessProbe": {"tcpSocket": {"port": 1}}}
    found = bootstrap(Settings(proxy_config=probe, node_metadata={"DNS_CAPTURE": "true", "WORKLOAD_ENTRY": "x"}))
    (listener,) = [x for x in found["static_resources"]["listeners"] if x["name"] == "agent-watch"]
    assert listener["address"] == {"pipe": {"path": "/etc/istio/proxy/watch.sock", "mode": 0o600}}
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert [route["match"] for route in routes] == [
        {"path": path, "headers": [{"name": ":method", "string_match": {"exact": method}}]}
        for path, method in (("/agent/v1/watch", "GET"), ("/agent/v1/health", "POST"))
    ]
    cluster = clusters(found)["agent-watch"]
    assert cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] == {
        "socket_address": {"address": "istiod.istio-system.svc", "port_value": 443}
    }
    tls = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    assert tls["alpn_protocols"] == ["http/1.1"]
    assert "match_typed_subject_alt_names" in tls["combined_validation_context"]["default_validation_context"]


@pytest.mark.row("ME-15", "ME-16")
def test_stats_have_the_required_patterns_and_the_users():
    config = {"proxyStatsMatcher": {"inclusionPrefixes": ["mine"], "inclusionRegexps": ["x.*"]}}
    found = bootstrap(Settings(proxy_config=config, annotations={"sidecar.istio.io/statsInclusionPrefixes": "a,b"}))
    patterns = found["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"]
    prefixes = [pattern["prefix"] for pattern in patterns if "prefix" in pattern]
    assert {"istio", "cluster_manager", "listener_manager", "server", "a", "b"} <= set(prefixes)
    assert "mine" not in prefixes
    assert {"safe_regex": {"regex": "x.*"}} in patterns
    assert "cluster_name" in {tag["tag_name"] for tag in found["stats_config"]["stats_tags"]}


@pytest.mark.row("AG-06")
def test_envoys_arguments(tmp_path):
    settings = Settings(
        proxy_config={"concurrency": 2, "drainDuration": "30s"}, instance_ip="fd00::1", proxy_log_level="info"
    )
    text = " ".join(arguments(settings, tmp_path))
    assert "--drain-time-s 30 --drain-strategy immediate --local-address-ip-version v6" in text
    assert "-l info --component-log-level misc:error --concurrency 2" in text
    assert "--disable-hot-restart" in text


def test_what_differs_per_proxy_is_environment():
    settings = Settings(labels={"app": "web", "version": "v1"}, workload_name="web", pod_name="web-1")
    found = environment(settings)
    assert (found["MIZZEN_APP"], found["MIZZEN_VERSION_LABEL"], found["MIZZEN_WORKLOAD_NAME"]) == ("web", "v1", "web")
    assert found["MIZZEN_CANONICAL_REVISION"] == "v1"
    assert environment(Settings(workload_name="w"))["MIZZEN_CANONICAL_NAME"] == "w"
    assert environment(Settings())["MIZZEN_APP"] == ""


def test_it_is_json_without_secrets():
    assert "PRIVATE" not in json.dumps(bootstrap(Settings()))


def test_the_certificate_files_are_watched_once_because_all_name_them_alike():
    from google.protobuf import json_format

    from mizzen.translate.tls import sds_secret

    context = clusters(bootstrap(Settings()))["xds-grpc"]["transport_socket"]["typed_config"]["common_tls_context"]
    ours = context["tls_certificate_sds_secret_configs"][0], context["combined_validation_context"]
    for found in (ours[0], ours[1]["validation_context_sds_secret_config"]):
        theirs = json_format.MessageToDict(sds_secret(found["name"]), preserving_proto_field_name=True)
        assert found == theirs


@pytest.mark.row("PC-03", "PC-05")
def test_envoy_follows_proxy_config(tmp_path):
    found = bootstrap(Settings(proxy_config={"proxyAdminPort": 15900, "discoveryAddress": "cp.example:15999"}))
    assert found["admin"]["address"]["socket_address"]["port_value"] == 15900
    (group,) = clusters(found)["xds-grpc"]["load_assignment"]["endpoints"]
    address = group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert (address["address"], address["port_value"]) == ("cp.example", 15999)
    assert "--concurrency" not in arguments(Settings(proxy_config={"concurrency": 0}, cpu_limit=2), tmp_path)


@pytest.mark.row("TC-08")
def test_a_proxy_that_may_not_open_low_ports_says_so():
    assert bootstrap(Settings(unprivileged=True))["node"]["metadata"]["UNPRIVILEGED_POD"] == "true"
    assert "UNPRIVILEGED_POD" not in bootstrap(Settings())["node"]["metadata"]


@pytest.mark.row("PC-14")
@pytest.mark.parametrize(
    ("config", "metadata", "limit"),
    [
        ({"connectionSettings": {"globalDownstreamConnectionLimit": 5}}, {"GLOBAL_DOWNSTREAM_MAX_CONNECTIONS": "6"}, 5),
        (
            {"runtimeValues": {"overload.global_downstream_max_connections": "7"}},
            {"GLOBAL_DOWNSTREAM_MAX_CONNECTIONS": "6"},
            6,
        ),
        ({"runtimeValues": {"overload.global_downstream_max_connections": "7"}}, {}, 7),
        ({}, {}, 2147483647),
    ],
)
def test_the_limit_of_all_connections(config, metadata, limit):
    found = bootstrap(Settings(proxy_config=config, node_metadata=metadata))
    (monitor,) = found["overload_manager"]["resource_monitors"]
    assert monitor["typed_config"]["max_active_downstream_connections"] == limit
