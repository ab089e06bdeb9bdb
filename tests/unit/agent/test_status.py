"""Rows PO-06, AG-05, AG-10: what 15020 answers."""

import pytest

from mizzen.agent.debug import Debug
from mizzen.agent.metrics import Metrics
from mizzen.agent.probes import Probes
from mizzen.agent.ready import Readiness, parse
from mizzen.agent.settings import Settings
from mizzen.agent.status import Status
from tests.unit.agent.serving import get


def test_readiness_needs_both_updates_and_a_live_envoy_and_then_stays():
    ready = Readiness(1)
    stats = parse(
        "cluster_manager.cds.update_success: 1\nlistener_manager.lds.update_success: 0\nserver.state: 0\nx: Histogram"
    )
    assert "lds updates 0" in ready.judge(stats)
    assert "refused: cluster_manager.cds" in ready.judge({"cluster_manager.cds.update_rejected": 1})
    stats |= {"listener_manager.lds.update_success": 2}
    assert "not live" in ready.judge(stats)
    assert ready.judge(stats | {"listener_manager.workers_started": 1}) == ""
    assert ready.judge({"server.state": 2}) == ""


@pytest.mark.row("AG-05")
async def test_an_ending_agent_is_not_ready():
    ready = Readiness(1)
    ready.stopping = True
    assert "shutting down" in await ready.why_not()


@pytest.mark.row("PO-06", "AG-10")
@pytest.mark.parametrize(
    ("path", "method", "peer", "status", "done"),
    [
        ("/quitquitquit", "POST", "127.0.0.1", 200, ["quit"]),
        ("/quitquitquit", "GET", "127.0.0.1", 405, []),
        ("/quitquitquit", "POST", "10.0.0.1", 403, []),
        ("/drain", "POST", "::1", 200, ["drain"]),
        ("/drain", "POST", "10.0.0.1", 403, []),
        ("/nothing", "GET", "127.0.0.1", 404, []),
    ],
)
async def test_commands_are_for_localhost(path, method, peer, status, done):
    happened = []

    async def drain():
        happened.append("drain")

    settings = Settings()
    metrics = Metrics(settings, lambda: 0.0)
    found = Status(Readiness(1), metrics, Probes(settings), Debug(None), lambda: happened.append("quit"), drain)
    assert (await found.handle(get(path, peer, method))).status == status
    assert happened == done


@pytest.mark.row("PO-06")
async def test_what_lies_below_debug_is_passed_on():
    settings = Settings()

    async def drain(): ...

    found = Status(Readiness(1), Metrics(settings, lambda: 0.0), Probes(settings), Debug(None), lambda: None, drain)
    answer = await found.handle(get("/debug/ndsz", "127.0.0.1", "GET"))
    assert (answer.status, b'"table"' in answer.body) == (200, True)
    assert (await found.handle(get("/debug/ndsz", "10.0.0.1", "GET"))).status == 403
