"""What the hub publishes, counts, and keeps when something fails."""

from __future__ import annotations

import asyncio

import pytest

from mizzen.model.config import Config
from mizzen.model.snapshot import Snapshot
from mizzen.observe import Metrics
from mizzen.resolve import build, view
from mizzen.server.hub import Compiler, Hub
from mizzen.translate import resources
from tests.meshes import routes, rule, service

PORTS = [{"name": "http", "port": 80}]
WEB = service("web", "a", 1, PORTS)
FULL = "web.a.svc.cluster.local"


def _hub() -> tuple[Hub, Metrics]:
    metrics = Metrics()
    return Hub(Compiler(build, view, resources), metrics), metrics


@pytest.mark.row("VS-08", "DR-03")
async def test_hosts_and_subsets_that_are_dropped_are_counted() -> None:
    hub, metrics = _hub()
    http = [{"route": [{"destination": {"host": FULL}}]}]
    both = [routes("one", "a", hosts=["web"], http=http), routes("two", "b", hosts=[FULL], http=http)]
    rules = [rule(name, "a", host="web", subsets=[{"name": "v1"}]) for name in ("x", "y", "z")]
    hub.publish(Config().with_objects([WEB, *both, *rules]))
    assert b"pilot_vservice_dup_domain 1.0" in metrics.text()
    assert b"pilot_destrule_subsets 2.0" in metrics.text()
    hub.publish(Config().with_objects([WEB, both[0], rules[0]]))
    assert b"pilot_vservice_dup_domain 0.0" in metrics.text()
    assert b"pilot_destrule_subsets 0.0" in metrics.text()


async def test_each_snapshot_has_a_number_and_wakes_those_who_wait() -> None:
    hub, _ = _hub()
    waiting = hub.changed.wait()
    hub.publish(Config(revision=7))
    assert await asyncio.wait_for(waiting, 5)
    hub.publish(Config(revision=9))
    assert hub.current is not None
    assert (hub.current.number, hub.current.revision) == (2, 9)
    assert [hub.number_of(revision) for revision in (7, 8, 9, 10)] == [1, 2, 2, None]


async def test_a_configuration_that_cannot_be_resolved_changes_nothing() -> None:
    metrics = Metrics()

    def compile_(config: Config, _previous: Snapshot | None) -> Snapshot:
        if config.revision == 2:
            raise RuntimeError("broken")
        return Snapshot(config=config)

    hub = Hub(Compiler(compile_, view, resources), metrics)
    hub.publish(Config(revision=1))
    hub.publish(Config(revision=2))
    assert hub.current is not None
    assert hub.current.revision == 1
    assert "broken" in hub.error
    assert b"pilot_total_xds_internal_errors_total 1.0" in metrics.text()
    hub.publish(Config(revision=3))
    assert hub.error == ""
