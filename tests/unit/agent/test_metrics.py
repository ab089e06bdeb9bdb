"""Rows AG-08, ME-13, ME-17: one page of metrics for proxy, agent and app."""

import asyncio
import gzip

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mizzen.agent import metrics
from mizzen.agent.http import Request, Response
from mizzen.agent.metrics import Metrics, renamed
from mizzen.agent.settings import Settings
from tests.unit.agent.serving import get, served


@pytest.mark.row("ME-13")
def test_only_whole_names_are_renamed():
    text = b'# TYPE envoy_istio_requests_total counter\nenvoy_istio_requests_total{a="envoy_istio_x"} 1\nenvoy_server_live 1\n'
    expected = b'# TYPE istio_requests_total counter\nistio_requests_total{a="envoy_istio_x"} 1\nenvoy_server_live 1\n'
    assert renamed(text) == expected


@pytest.mark.row("AG-08", "ME-17")
async def test_the_apps_metrics_join_and_a_dead_part_is_left_out():
    async def app(request):
        kind = "application/openmetrics-text; version=1.0.0"
        return Response(200, b"app_hits 3\n# EOF\n", {"content-type": kind})

    async def envoy(request):
        return (
            Response(200, b"envoy_istio_requests_total 1\n") if request.path == "/stats/prometheus" else Response(404)
        )

    async with served(app) as app_port, served(envoy) as admin:
        config = {"proxyAdminPort": admin}
        found = Metrics(
            Settings(proxy_config=config, prometheus={"scrape": "true", "port": str(app_port)}), lambda: 0.0
        )
        whole = await found.merged(get("/metrics"))
        alone = await found.envoy(get("/stats/envoy"))
    assert whole.headers["content-type"].startswith("application/openmetrics-text")
    assert whole.body.count(b"# EOF") == 1
    assert whole.body.endswith(b"app_hits 3\n# EOF\n")
    assert b"\nistio_requests_total 1\n" in whole.body
    assert b"app_hits" not in alone.body
    dead = await found.merged(get("/metrics"))
    assert dead.status == 200
    assert b'istio_agent_scrape_failures_total{type="application"} 1' in dead.body
    assert b'istio_agent_scrape_failures_total{type="envoy"} 1' in dead.body


@pytest.mark.row("AG-08")
@pytest.mark.parametrize(
    ("local_only", "peer", "status"),
    [(True, "10.0.0.1", 403), (True, "127.0.0.1", 200), (False, "10.0.0.1", 200)],
)
async def test_metrics_for_localhost_only(local_only, peer, status):
    found = Metrics(Settings(metrics_localhost_only=local_only, proxy_config={"proxyAdminPort": 1}), lambda: 0.0)
    assert (await found.merged(get("/metrics", peer=peer))).status == status


async def test_lines_of_other_parts_stand_in_the_agents_own_metrics():
    found = Metrics(Settings(), lambda: 0.0, lambda: "istio_agent_dns_requests_total 3\n")
    assert "istio_agent_dns_requests_total 3\n" in found._own().decode()


def of_app(kind="text/plain", **answers):
    """An app that answers with these bodies by path, and what it was asked with."""
    asked = []

    async def handle(request):
        asked.append(request)
        body = answers.get(request.path.strip("/"))
        return Response(200, body, {"content-type": kind}) if body is not None else Response(404)

    return handle, asked


@pytest.mark.row("AG-08")
async def test_several_targets_are_asked_side_by_side_and_told_who_asks():
    one, asked = of_app(metrics=b"one 1\n")
    two, _ = of_app(other=b"two 2")
    async with served(one) as first, served(two) as second:
        targets = f"{first}:/metrics, {second}:/other,{second}:/gone"
        found = Metrics(Settings(prometheus={"targets": targets}, proxy_config={"proxyAdminPort": 1}), lambda: 0.0)
        scrape = {"user-agent": "Prometheus/3", "x-prometheus-scrape-timeout-seconds": "5", "accept": "text/plain"}
        whole = await found.merged(get("/metrics", **scrape))
    assert b"\none 1\ntwo 2\n" in whole.body
    assert b'istio_agent_scrape_failures_total{type="application"} 1' in whole.body
    assert {name: asked[0].headers[name] for name in scrape} == scrape


@pytest.mark.row("AG-08")
async def test_a_router_scrapes_no_app_and_a_port_and_path_have_defaults():
    asked = {"scrape": "true"}
    assert Metrics(Settings(prometheus=asked), lambda: 0.0)._targets() == [(80, "/metrics")]
    assert Metrics(Settings(prometheus=asked, role="router"), lambda: 0.0)._targets() == []
    assert Metrics(Settings(prometheus={"scrape": "false"}), lambda: 0.0)._targets() == []
    assert Metrics(Settings(), lambda: 0.0)._targets() == []


@pytest.mark.row("AG-08")
async def test_a_late_app_is_left_out_before_prometheus_gives_up():
    async def never(request):
        await asyncio.Event().wait()

    async with served(never) as port:
        settings = Settings(prometheus={"port": str(port)}, proxy_config={"proxyAdminPort": 1})
        asked = get("/metrics", **{"x-prometheus-scrape-timeout-seconds": "0.6"})
        whole = await asyncio.wait_for(Metrics(settings, lambda: 0.0).merged(asked), 5)
    assert whole.status == 200
    assert b'istio_agent_scrape_failures_total{type="application"} 1' in whole.body


@pytest.mark.row("AG-16")
def test_the_agents_own_lines_are_such_that_prometheus_reads(monkeypatch):
    monkeypatch.setattr(metrics.time, "time", lambda: 1000.0)
    text = Metrics(Settings(), lambda: 1060.5)._own().decode()
    found = {s.name: s for family in text_string_to_metric_families(text) for s in family.samples}
    assert (found["istio_agent_cert_expiry_seconds"].labels, found["istio_agent_cert_expiry_seconds"].value) == (
        {"resource_name": "default"},
        60.5,
    )
    assert found["istio_agent_scrapes_total"].value == 0
    assert found["istio_build"].labels["component"] == "proxy"
    assert "cert_expiry" not in Metrics(Settings(), lambda: 0.0)._own().decode()


@pytest.mark.row("AG-08")
async def test_answers_are_compressed_when_that_is_asked_for_and_large_ones_left_out(monkeypatch):
    monkeypatch.setattr(metrics, "LIMIT", 100)
    app, _ = of_app(metrics=b"x" * 101 + b"\n")
    async with served(app) as port:
        settings = Settings(prometheus={"port": str(port)}, proxy_config={"proxyAdminPort": 1})
        whole = await Metrics(settings, lambda: 0.0).merged(get("/metrics", **{"accept-encoding": "gzip"}))
    assert whole.headers["content-encoding"] == "gzip"
    text = gzip.decompress(whole.body)
    assert b"xxx" not in text
    assert b'istio_agent_scrape_failures_total{type="application"} 1' in text


@pytest.mark.row("AG-08")
async def test_the_query_is_passed_to_envoy_and_its_answer_is_text():
    envoy, asked = of_app(**{"stats/prometheus": b"envoy_server_live 1\n"})
    async with served(envoy) as admin:
        found = Metrics(Settings(proxy_config={"proxyAdminPort": admin}), lambda: 0.0)
        whole = await found.merged(Request("GET", "/stats/prometheus", "usedonly", {}, b"", "127.0.0.1"))
    assert asked[0].query == "usedonly"
    assert whole.headers["content-type"].startswith("text/plain")
    assert b"\nenvoy_server_live 1\n" in whole.body
    assert b"istio_agent_scrapes_total 1" in whole.body
