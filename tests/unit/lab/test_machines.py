"""Pods that the cluster does not know of."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import jwt

from mizzen.lab.admission import Admission
from mizzen.lab.api import Api
from mizzen.lab.machines import ANNOTATION, is_machine
from mizzen.lab.store import Store
from mizzen.lab.tokens import Tokens

Raw = dict[str, Any]


def pod(name: str, machine: str = "") -> Raw:
    annotations = {ANNOTATION: machine} if machine else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "vms", "annotations": annotations},
        "spec": {"containers": [{"name": "app", "image": "pause"}]},
    }


def test_the_annotation_makes_a_pod_a_machine() -> None:
    assert is_machine(pod("a", "true"))
    assert not is_machine(pod("a", "false"))
    assert not is_machine(pod("a"))
    assert not is_machine({**pod("a", "true"), "kind": "Deployment"})


def test_a_machine_is_not_injected(tmp_path: Path) -> None:
    store = Store(tmp_path)
    labels = {"istio-injection": "enabled"}
    store.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vms", "labels": labels}})
    admission = Admission(store, lambda _: None)
    assert len(admission.prepare(pod("web"))["spec"]["containers"]) == 2
    assert len(admission.prepare(pod("vm", "true"))["spec"]["containers"]) == 1


async def test_the_control_plane_never_hears_of_a_machine(tmp_path: Path) -> None:
    store, socket = Store(tmp_path / "objects"), tmp_path / "sock"
    store.put(pod("vm-1", "true"))
    store.put(pod("web-1"))
    api = Api(SimpleNamespace(store=store))  # type: ignore[arg-type]
    await api.start(socket)
    seen: list[str] = []
    try:
        async with (
            asyncio.timeout(10),
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session,
            session.get("http://lab/v1/objects", params={"watch": "1"}) as answer,
        ):
            async for line in answer.content:
                event = json.loads(line)
                if event["type"] == "SYNCED":
                    store.put(pod("vm-2", "true"))
                    store.delete("Pod", "vms", "vm-1")
                    store.put(pod("web-2"))
                else:
                    seen.append(event["object"]["metadata"]["name"])
                if "web-2" in seen:
                    break
            async with session.get("http://lab/v1/objects", params={"kind": "Pod"}) as answer:
                listed = {item["metadata"]["name"] for item in (await answer.json())["items"]}
    finally:
        await api.stop()
    assert seen == ["web-1", "web-2"]
    assert listed == {"vm-2", "web-1", "web-2"}


async def test_a_token_for_a_machine_is_bound_to_its_service_account(tmp_path: Path) -> None:
    store, socket = Store(tmp_path / "objects"), tmp_path / "sock"
    store.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "db", "namespace": "vms"}})
    api = Api(SimpleNamespace(store=store, tokens=Tokens.open(tmp_path / "tokens")))  # type: ignore[arg-type]
    await api.start(socket)
    body = {"namespace": "vms", "account": "db", "audience": "istio-ca", "seconds": 60}
    try:
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session:
            async with session.post("http://lab/v1/token", json=body) as answer:
                token = (await answer.json())["token"]
            async with session.post("http://lab/v1/token", json={**body, "account": "other"}) as answer:
                assert answer.status == 404
    finally:
        await api.stop()
    claims = jwt.decode(token, options={"verify_signature": False})
    account = store.get("ServiceAccount", "vms", "db")
    assert account is not None
    assert claims["sub"] == "system:serviceaccount:vms:db"
    assert claims["aud"] == ["istio-ca"]
    assert claims["exp"] - claims["iat"] == 60
    bound = {"namespace": "vms", "serviceaccount": {"name": "db", "uid": account["metadata"]["uid"]}}
    assert claims["kubernetes.io"] == bound
