"""Rows AG-08, ME-13, ME-17: one page of metrics for proxy, agent and app."""

import pytest

from mizzen.agent.http import Response
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


async def test_metrics_for_localhost_only():
    found = Metrics(Settings(metrics_localhost_only=True), lambda: 0.0)
    assert (await found.merged(get("/metrics", peer="10.0.0.1"))).status == 403


async def test_lines_of_other_parts_stand_in_the_agents_own_metrics():
    metrics = Metrics(Settings(), lambda: 0.0, lambda: "istio_agent_dns_requests_total 3\n")
    assert "istio_agent_dns_requests_total 3\n" in metrics._own().decode()
