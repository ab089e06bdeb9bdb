"""From looks to a verdict, and from a verdict to the control plane."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from mizzen.agent import health
from mizzen.agent.app_probe import AppProbe
from mizzen.agent.health import Health, Thresholds
from mizzen.agent.http import BadMessage, Request, Response, connection
from mizzen.agent.settings import Settings

GROUP = {"AUTO_REGISTER_GROUP": "db", "NETWORK": "n1", "OTHER": "x"}


@pytest.mark.row("WE-06", "VM-04")
def test_the_verdict_changes_after_so_many_looks_in_a_row() -> None:
    one = Thresholds({})
    assert [one.take(well) for well in (False, False, True, True, False)] == [True, False, True, False, True]
    many = Thresholds({"successThreshold": 2, "failureThreshold": 3})
    looks = [True, False, True, True, False, False, True, False, False, False, True, True]
    assert [index for index, well in enumerate(looks) if many.take(well)] == [3, 9, 11]


class Plane:
    """Answers reports with ``status``, and keeps them."""

    def __init__(self) -> None:
        self.status = 200
        self.reports: list[tuple[dict[str, Any], dict[str, str]]] = []
        self.asked = asyncio.Queue[int]()

    async def handle(self, request: Request) -> Response:
        assert (request.method, request.path) == ("POST", "/agent/v1/health")
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        self.reports.append((json.loads(request.body), query))
        self.asked.put_nowait(len(self.reports))
        return Response(self.status)


@pytest.mark.row("WE-06")
async def test_the_times_of_a_probe_that_says_none() -> None:
    app = App()
    made = Health(Settings(), {}, app.why_not, lambda _: None)
    assert (made._delay, made._period, AppProbe({}, "a").timeout) == (0, 10, 1)


@asynccontextmanager
async def plane(path: Path) -> AsyncIterator[tuple[Plane, Settings]]:
    settings = Settings(config_path=path, namespace="vms", instance_ip="10.0.0.9", pod_name="vm", node_metadata=GROUP)
    found = Plane()
    server = await asyncio.start_unix_server(lambda r, w: connection(found.handle, r, w), settings.watch_path)
    try:
        yield found, settings
    finally:
        server.close()


class App:
    """Its health of the moment; ``look`` is let through once for each ``step``."""

    def __init__(self) -> None:
        self.reasons = asyncio.Queue[str]()

    async def why_not(self) -> str:
        return await self.reasons.get()


@pytest.mark.row("AG-13", "VM-04")
async def test_each_change_is_reported_and_said_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "REPEAT", 0.01)
    app, said = App(), list[str]()
    bad = {"pod": "vm", "ready": False, "message": "status 500"}
    async with plane(tmp_path) as (found, settings), asyncio.TaskGroup() as group, asyncio.timeout(15):
        task = group.create_task(Health(settings, {"periodSeconds": 0.001}, app.why_not, said.append).keep())
        app.reasons.put_nowait("")
        while await found.asked.get() < 3:
            pass
        app.reasons.put_nowait("")
        app.reasons.put_nowait("status 500")
        while found.reports[-1][0] != bad:
            await found.asked.get()
        task.cancel()
    bodies = [body for body, _ in found.reports]
    good = {"pod": "vm", "ready": True, "message": ""}
    assert bodies[:3] == [good, good, good]
    assert [body for body in bodies if body not in (good, bad)] == []
    query = found.reports[0][1]
    assert query["node"] == "sidecar~10.0.0.9~vm.vms~default.svc.cluster.local"
    assert json.loads(query["metadata"]) == {
        "NAMESPACE": "vms",
        "INSTANCE_IPS": "10.0.0.9",
        "AUTO_REGISTER_GROUP": "db",
        "NETWORK": "n1",
    }
    assert said == ["the application is healthy", "the application is not healthy: status 500"]


@pytest.mark.row("VM-04")
async def test_a_report_that_nobody_takes_is_repeated_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FIRST_RETRY", 0.01)
    app = App()
    async with plane(tmp_path) as (found, settings), asyncio.TaskGroup() as group, asyncio.timeout(15):
        found.status = 409  # not registered yet
        task = group.create_task(Health(settings, {}, app.why_not, lambda _: None).keep())
        app.reasons.put_nowait("")
        assert await found.asked.get() == 1
        assert await found.asked.get() == 2
        task.cancel()
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system says of a socket that is gone
        await Health(Settings(config_path=tmp_path / "none"), {}, app.why_not, lambda _: None).tell()
    (tmp_path / "again").mkdir()
    async with plane(tmp_path / "again") as (found, settings):
        found.status = 503
        with pytest.raises(BadMessage, match="503"):
            await Health(settings, {}, app.why_not, lambda _: None).tell()


@pytest.mark.row("VM-04")
async def test_that_nobody_takes_the_reports_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("FIRST_RETRY", 0.01), ("LAST_RETRY", 0.02), ("REPEAT", 0.01)):
        monkeypatch.setattr(health, name, seconds)
    app, said = App(), list[str]()
    async with plane(tmp_path) as (found, settings), asyncio.TaskGroup() as group, asyncio.timeout(15):
        task = group.create_task(Health(settings, {}, app.why_not, said.append).keep())
        app.reasons.put_nowait("")
        for status in (403, 200, 503):
            found.status, before = status, len(found.reports)
            while await found.asked.get() < before + 6:
                pass
        task.cancel()
    told = [line for line in said if "nobody takes" in line]
    assert [line.count(f"answers {status}") for line, status in zip(told, (403, 503), strict=True)] == [1, 1]


@pytest.mark.row("VM-04")
def test_only_a_workload_with_an_entry_reports() -> None:
    probe = {"readinessProbe": {"tcpSocket": {"port": 1}}}
    assert Settings(proxy_config=probe).health_probe is None
    assert Settings(node_metadata=GROUP).health_probe is None
    assert Settings(proxy_config=probe, node_metadata=GROUP).health_probe == probe["readinessProbe"]
    assert Settings(proxy_config=probe, node_metadata={"WORKLOAD_ENTRY": "mine"}).health_probe
