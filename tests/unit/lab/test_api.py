"""The supervisor's API on a real socket, over a store and a stand-in for everything else."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from mizzen.lab.admission import Admission
from mizzen.lab.api import Api
from mizzen.lab.store import Store

Raw = dict[str, Any]


def pod(*args: str) -> Raw:
    container = {"name": "app", "image": "pause", "args": list(args)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "a", "labels": {"app": "p"}},
        "spec": {"containers": [container]},
    }


class Lab:
    def __init__(self, directory: Path) -> None:
        self.path = directory / "sock"
        self.store = Store(directory / "objects")
        self.described: list[tuple[str, Raw]] = []
        admission = Admission(self.store, lambda _text: None)
        supervisor = SimpleNamespace(
            store=self.store,
            admission=admission,
            describe=lambda uid, meta: self.described.append((uid, meta)),
        )
        self.api = Api(supervisor)  # type: ignore[arg-type]

    async def post(self, path: str, body: Raw) -> tuple[int, Raw]:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.path))) as session,
            session.post(f"http://lab{path}", json=body) as answer,
        ):
            return answer.status, await answer.json(content_type=None) if answer.status == 200 else {}

    async def patch(self, patch: Raw) -> Raw:
        status, answer = await self.post("/v1/patch", {"kind": "Pod", "namespace": "a", "name": "p", "patch": patch})
        assert status == 200
        (result,) = answer["results"]
        return dict(result)

    def stored(self) -> Raw:
        found = self.store.get("Pod", "a", "p")
        assert found is not None
        return found


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    made = Lab(tmp_path)
    await made.api.start(made.path)
    await made.post("/v1/apply", {"documents": [{"object": pod(), "origin": {"file": "p.yaml", "line": 1}}]})
    yield made
    await made.api.stop()


async def test_a_label_changes_on_the_pod_that_runs(lab: Lab) -> None:
    before = lab.stored()
    result = await lab.patch({"metadata": {"labels": {"tier": "gold"}}})
    assert result["action"] == "configured"
    after = lab.stored()
    assert after["metadata"]["labels"] == {"app": "p", "tier": "gold"}
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"] == before["spec"]
    assert lab.store.origin(after) == {"file": "p.yaml", "line": 1}
    assert [(uid, meta["labels"]) for uid, meta in lab.described] == [
        (before["metadata"]["uid"], {"app": "p", "tier": "gold"})
    ]
    assert (await lab.patch({"metadata": {"labels": {"tier": None}}}))["action"] == "configured"
    assert lab.stored()["metadata"]["labels"] == {"app": "p"}


async def test_another_spec_makes_another_pod(lab: Lab) -> None:
    before = lab.stored()
    await lab.patch({"spec": {"containers": pod("more")["spec"]["containers"]}})
    assert lab.stored()["metadata"]["uid"] != before["metadata"]["uid"]
    assert lab.described == []


async def test_a_patch_of_nothing_is_answered_with_404(lab: Lab) -> None:
    status, _ = await lab.post("/v1/patch", {"kind": "Pod", "namespace": "a", "name": "q", "patch": {}})
    assert status == 404
