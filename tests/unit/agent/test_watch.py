"""The agent's long poll over a Unix socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from mizzen.agent.dns.names import packed
from mizzen.agent.http import BadMessage, Request, Response, connection
from mizzen.agent.settings import Settings
from mizzen.agent.watch import Watch


class Plane:
    """Answers each poll with the next of ``answers``; when there is none left, never."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.polls: list[dict[str, str]] = []
        self.asked = asyncio.Event()

    async def handle(self, request: Request) -> Response:
        self.polls.append({name: values[0] for name, values in parse_qs(request.query).items()})
        if not self.answers:
            self.asked.set()
            await asyncio.get_running_loop().create_future()
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Response) else Response(200, json.dumps(answer).encode())


def table(version: str, ip: str) -> dict[str, Any]:
    return {"version": "roots1", "roots": [], "names": {"version": version, "table": {"a.test": {"ips": [ip]}}}}


@asynccontextmanager
async def plane(path: Path, *answers: Any) -> AsyncIterator[tuple[Plane, Settings]]:
    settings = Settings(config_path=path, namespace="shop", node_metadata={"DNS_CAPTURE": "true", "X": "y"})
    found = Plane(*answers)
    server = await asyncio.start_unix_server(lambda r, w: connection(found.handle, r, w), settings.watch_path)
    try:
        yield found, settings
    finally:
        server.close()


async def followed(path: Path, *answers: Any) -> tuple[list[Any], list[str], Plane]:
    """What was taken and reported until all ``answers`` were given."""
    taken: list[Any] = []
    said: list[str] = []
    async with plane(path, *answers) as (found, settings), asyncio.TaskGroup() as group:
        task = group.create_task(Watch(settings, taken.append, said.append).keep())
        async with asyncio.timeout(10):
            await found.asked.wait()
        task.cancel()
    return taken, said, found


@pytest.mark.row("DN-02")
async def test_each_new_table_is_taken_and_the_next_poll_says_what_is_known(tmp_path: Path) -> None:
    taken, _, found = await followed(tmp_path, table("1", "10.0.0.1"), table("1", "10.0.0.1"), table("2", "10.0.0.2"))
    assert [t["a.test"] for t in taken] == [packed({"ips": [ip]}) for ip in ("10.0.0.1", "10.0.0.2")]
    assert [(p.get("version"), p.get("names")) for p in found.polls] == [
        (None, None),
        ("roots1", "1"),
        ("roots1", "1"),
        ("roots1", "2"),
    ]
    assert found.polls[0]["node"] == "sidecar~127.0.0.1~pod.shop~default.svc.cluster.local"
    assert json.loads(found.polls[0]["metadata"]) == {"CLUSTER_ID": "Kubernetes", "DNS_CAPTURE": "true"}


@pytest.mark.row("DN-03")
async def test_failures_take_nothing_away_and_are_reported_once(tmp_path: Path) -> None:
    bad = [Response(503), Response(200, b"no json"), {"version": "x"}, {"names": {"table": 1}}]
    taken, said, found = await followed(
        tmp_path, *bad, table("1", "10.0.0.1"), Response(503), Response(503), table("2", "10.0.0.2")
    )
    assert len(taken) == 2
    assert len(said) == 1
    assert "503" in said[0]
    assert len(found.polls) == 9


async def test_without_envoy_a_poll_brings_nothing(tmp_path: Path) -> None:
    watch = Watch(Settings(config_path=tmp_path), lambda t: None, lambda text: None)
    with pytest.raises(OSError, match="No such file"):
        await watch.once()
    with pytest.raises(BadMessage):
        async with plane(tmp_path, Response(404)) as (_, settings):
            await Watch(settings, lambda t: None, lambda text: None).once()
