from __future__ import annotations

import pytest

from mizzen.agent.ready import Readiness, parse

GOOD = {
    "cluster_manager.cds.update_success": 1,
    "listener_manager.lds.update_success": 1,
    "server.state": 0,
    "listener_manager.workers_started": 1,
}


def test_only_numbers_are_read() -> None:
    assert parse("a.b: 3\nc: No recorded values\nno colon\nd: -1\n") == {"a.b": 3}


@pytest.mark.row("AG-05")
@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, ""),
        ({"cluster_manager.cds.update_success": 0}, "config not received: cds updates 0, lds updates 1"),
        (
            {"listener_manager.lds.update_success": 0, "listener_manager.lds.update_rejected": 2},
            "config not received: cds updates 1, lds updates 0; refused: listener_manager.lds",
        ),
        ({"server.state": 2}, "envoy is not live yet"),
        ({"listener_manager.workers_started": 0}, "envoy is not live yet"),
    ],
)
def test_ready_means_configured_and_live(change: dict[str, int], missing: str) -> None:
    assert Readiness(1).judge({**GOOD, **change}) == missing


@pytest.mark.row("AG-05")
def test_what_was_once_true_stays_true() -> None:
    readiness = Readiness(1)
    assert readiness.judge(GOOD) == ""
    assert readiness.judge({}) == ""


@pytest.mark.row("WP-07")
def test_the_first_time_nothing_else_may_be_missing() -> None:
    readiness = Readiness(1)
    reasons = ["modules", ""]
    readiness.lacks = lambda: reasons.pop(0)
    assert [readiness.judge(GOOD) for _ in range(2)] == ["modules", ""]


async def test_one_that_shuts_down_or_does_not_answer_is_not_ready() -> None:
    readiness = Readiness(1)
    assert (await readiness.why_not()).startswith("envoy does not answer")
    readiness.judge(GOOD)
    assert await readiness.why_not() == ""
    readiness.stopping = True
    assert "shutting down" in await readiness.why_not()
