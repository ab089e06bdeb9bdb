"""What the agent shows below ``/debug``."""

import asyncio
import json
import time

import pytest

from mizzen.agent.debug import Debug
from mizzen.agent.http import Request


def get(path: str, query: str = "", peer: str = "127.0.0.1") -> Request:
    return Request("GET", path, query, {}, b"", peer)


NAMES = {"table": {"web.shop.svc.cluster.local": {"ips": ["10.0.0.1"], "registry": "Kubernetes"}}}


@pytest.mark.row("PO-06")
async def test_the_names_that_are_answered_here() -> None:
    answer = await Debug(lambda: NAMES).handle(get("/debug/ndsz"))
    assert (answer.status, json.loads(answer.body)) == (200, NAMES)
    without = await Debug(None).handle(get("/debug/ndsz"))
    assert without.status == 200
    assert json.loads(without.body)["table"] == {}
    assert "ISTIO_META_DNS_CAPTURE" in json.loads(without.body)["reason"]


@pytest.mark.row("PO-06")
@pytest.mark.parametrize("path", ["/debug/ndsz", "/debug/pprof/", "/debug/pprof/goroutine", "/debug/pprof/heap"])
async def test_nobody_outside_the_pod_sees_it(path: str) -> None:
    assert (await Debug(lambda: NAMES).handle(get(path, peer="10.1.0.5"))).status == 403
    assert (await Debug(lambda: NAMES).handle(get(path))).status == 200


async def waiting_for_godot() -> None:
    await asyncio.get_running_loop().create_future()


@pytest.mark.row("PO-06")
async def test_the_stack_of_every_task_from_its_function_to_what_it_waits_for() -> None:
    async def outer() -> None:
        await waiting_for_godot()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(outer(), name="estragon")
        await asyncio.sleep(0)
        text = (await Debug(None).handle(get("/debug/pprof/goroutine", "debug=2"))).body.decode()
        task.cancel()
    part = text[text.index("task estragon") :].split("\n\n")[0]
    assert part.index("outer") < part.index("waiting_for_godot")
    assert "test_debug.py:" in part
    assert "thread " in text


@pytest.mark.row("PO-06")
async def test_memory_and_command_line() -> None:
    heap = (await Debug(None).handle(get("/debug/pprof/heap"))).body.decode()
    assert "Pss:" in heap
    assert "builtins.dict" in heap
    assert "python" in (await Debug(None).handle(get("/debug/pprof/cmdline"))).body.decode()


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.mark.row("PO-06")
async def test_a_profile_names_what_uses_the_cpu() -> None:
    debug = Debug(None)
    async with asyncio.TaskGroup() as group:
        profile = group.create_task(debug.handle(get("/debug/pprof/profile", "seconds=0.3")))
        await asyncio.sleep(0)
        assert (await debug.handle(get("/debug/pprof/profile", "seconds=1"))).status == 409
        busy(0.2)
    text = profile.result().body.decode()
    lines = [line for line in text.splitlines() if "busy (" in line]
    assert lines
    assert sum(int(line.rpartition(" ")[2]) for line in lines) >= 5


@pytest.mark.row("PO-06")
async def test_what_is_not_there_says_what_is() -> None:
    debug = Debug(None)
    assert b"/debug/pprof/heap" in (await debug.handle(get("/debug/pprof/"))).body
    unknown = await debug.handle(get("/debug/pprof/mutex"))
    assert (unknown.status, b"/debug/pprof/heap" in unknown.body) == (404, True)
    assert (await debug.handle(get("/debug/syncz"))).status == 404
    for seconds in ("x", "0", "-1", "1e9", "nan"):
        assert (await debug.handle(get("/debug/pprof/profile", f"seconds={seconds}"))).status == 400
