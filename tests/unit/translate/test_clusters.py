"""What secures a cluster, and which endpoints stand behind it."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from msgspec.structs import replace

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.proxy import Proxy
from mizzen.model.resources import CLUSTER
from mizzen.resolve import build, view
from mizzen.translate import resources
from tests.golden import runner
from tests.meshes import NETWORKING, SECURITY, endpoint_slice, new, pod, router, rule, service, sidecar

WEB = service("web", "a", 1, [{"name": "http", "port": 80}])
NAME = "outbound|80||web.a.svc.cluster.local"
OUTSIDE = new(
    NETWORKING,
    "ServiceEntry",
    "a",
    "out",
    {"hosts": ["out.example"], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}], "resolution": "DNS"},
)
OUT = "outbound|80||out.example"
FLAGS = {"TLS_CLIENT_CERT_CHAIN": "/pc", "TLS_CLIENT_KEY": "/pk", "TLS_CLIENT_ROOT_CERT": "/pr"}


def _cluster(*objects: Object, proxy: Proxy | None = None, name: str = NAME) -> Any:
    made = resources(view(build(Config().with_objects([WEB, OUTSIDE, *objects])), proxy or sidecar(1, "a", app="x")))
    return runner.message_of(made.get(CLUSTER)[name])


def _tls(cluster: Any) -> Any:
    socket = cluster.transport_socket if cluster.HasField("transport_socket") else None
    message = tls_pb2.UpstreamTlsContext()
    assert (socket or cluster.transport_socket_matches[0].transport_socket).typed_config.Unpack(message)
    return message


def _simple(**more: Any) -> Object:
    policy = {"tls": {"mode": "SIMPLE", "credentialName": "cert"}}
    return rule("r", "a", host="web", trafficPolicy=policy, **more)


@pytest.mark.row("DR-48")
def test_a_secret_is_for_gateways_and_for_rules_that_select_workloads() -> None:
    plain = _cluster(_simple())
    assert not plain.HasField("transport_socket")
    assert not plain.transport_socket_matches
    chosen = _cluster(_simple(workloadSelector={"matchLabels": {"app": "x"}}))
    assert "kubernetes://cert-cacert" in str(_tls(chosen))
    assert "kubernetes://cert-cacert" in str(_tls(_cluster(_simple(), proxy=router())))


@pytest.mark.row("DR-48")
def test_authorities_in_a_config_map_work_everywhere() -> None:
    policy = {"tls": {"mode": "SIMPLE", "credentialName": "configmap://a/roots"}}
    found = _cluster(rule("r", "a", host="web", trafficPolicy=policy))
    assert "configmap://a/roots" in str(_tls(found))


@pytest.mark.row("DR-52")
def test_files_of_the_proxy_s_metadata_replace_its_identity_but_outside() -> None:
    proxy = replace(sidecar(1, "a"), flags=FLAGS)
    assert "file-cert:/pc~/pk" in str(_tls(_cluster(proxy=proxy)))
    mutual = {"mode": "MUTUAL", "clientCertificate": "/c", "privateKey": "/k"}
    own = _cluster(rule("r", "a", host="web", trafficPolicy={"tls": mutual}), proxy=proxy)
    assert "file-cert:/pc~/pk" in str(_tls(own))
    outside = _cluster(rule("r", "a", host="out.example", trafficPolicy={"tls": mutual}), proxy=proxy, name=OUT)
    assert "file-cert:/c~/k" in str(_tls(outside))


@pytest.mark.row("DR-55")
def test_the_mesh_s_suites_count_towards_others_its_least_version_does_not() -> None:
    mesh = {"tlsDefaults": {"minProtocolVersion": "TLSV1_3", "cipherSuites": ["ECDHE-RSA-AES128-GCM-SHA256"]}}
    objects = [WEB, OUTSIDE, rule("r", "a", host="out.example", trafficPolicy={"tls": {"mode": "SIMPLE"}})]
    config = runner.config_of({"config": [], "mesh": mesh}).with_objects(objects)
    made = resources(view(build(config), sidecar(1, "a"))).get(CLUSTER)
    params = _tls(runner.message_of(made[OUT])).common_tls_context.tls_params
    assert list(params.cipher_suites) == ["ECDHE-RSA-AES128-GCM-SHA256"]
    assert params.tls_minimum_protocol_version == params.TLSv1_2
    mesh_params = _tls(runner.message_of(made[NAME])).common_tls_context.tls_params
    assert not mesh_params.cipher_suites


@pytest.mark.row("LO-02")
def test_a_service_s_distribution_is_read_from_field_or_annotation() -> None:
    def threshold(obj: Object) -> float:
        detect = rule("r", "a", host="near", trafficPolicy={"outlierDetection": {"minHealthPercent": 30}})
        found = _cluster(obj, detect, name="outbound|80||near.a.svc.cluster.local")
        return float(found.common_lb_config.healthy_panic_threshold.value)

    ports = [{"name": "http", "port": 80}]
    assert threshold(service("near", "a", 2, ports)) == 30
    assert threshold(service("near", "a", 2, ports, trafficDistribution="PreferClose")) == 0
    marked = new(
        "v1",
        "Service",
        "a",
        "near",
        {"clusterIP": "10.96.0.2", "ports": ports},
        meta={"annotations": {"networking.istio.io/traffic-distribution": "PreferSameZone"}},
    )
    assert threshold(marked) == 0


@pytest.mark.row("DR-21")
def test_zones_are_told_to_envoy() -> None:
    def zones(**setting: Any) -> Any:
        policy = {"loadBalancer": {"zoneAwareLbSetting": setting}}
        return _cluster(rule("r", "a", host="web", trafficPolicy=policy)).common_lb_config.zone_aware_lb_config

    assert zones(minClusterSize=3).min_cluster_size.value == 3
    assert zones(enabled=False).HasField("routing_enabled")
    assert zones(enabled=False).routing_enabled.value == 0


@pytest.mark.row("PA-10")
@pytest.mark.parametrize(
    ("disabled", "told"),
    [((), None), (("web-1",), "some"), (("web-1", "web-2"), "all"), (("web-3",), None)],
)
def test_a_cluster_is_another_one_once_a_server_takes_mutual_tls(disabled: tuple[str, ...], told: str | None) -> None:
    """Else Envoy would go on with the plaintext connections that it has open. A pod without sidecar never turns."""
    meshed = {"security.istio.io/tlsMode": "istio"}
    pods = [pod(f"web-{n}", "a", n, {"app": "web", "name": f"web-{n}", **(meshed if n < 3 else {})}) for n in (1, 2, 3)]
    listed = endpoint_slice("web", "a", [{"name": "http", "port": 8080}], ["10.1.0.1", "10.1.0.2", "10.1.0.3"])
    policies = [
        new(
            SECURITY,
            "PeerAuthentication",
            "a",
            name,
            {"selector": {"matchLabels": {"name": name}}, "mtls": {"mode": "DISABLE"}},
        )
        for name in disabled
    ]
    facts = dict(_cluster(*pods, listed, *policies).metadata.filter_metadata["istio"].items())
    assert facts.get("plaintext") == told
