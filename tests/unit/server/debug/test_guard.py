"""The debug endpoints and who may see them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from mizzen.api.kubernetes import Secret
from mizzen.api.meta import Object, ObjectMeta
from mizzen.model.config import Config
from mizzen.model.resources import ResourceSet
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import ProxyView, Scope
from mizzen.observe import Metrics
from mizzen.server.authenticate import Authenticator
from mizzen.server.debug import Debug, Guard, Pages
from mizzen.server.hub import Compiler, Hub
from tests.fakes.controlplane import Tokens, pod

WEB = pod("shop", "web-0", account="web")
ROOT = pod("istio-system", "kiali-0", account="kiali")
HIDDEN = Object(kind="Secret", meta=ObjectMeta(name="s", namespace="shop"), body=Secret(data={"tls.key": "c2VjcmV0"}))
TOOL = pod("tools", "viewer-0", account="viewer")
CONFIG = Config(revision=1).with_objects([WEB, ROOT, TOOL, HIDDEN])


def hub(config: Config | None) -> Hub:
    core = Compiler(
        lambda config, previous: Snapshot(config=config, mesh=config.mesh),
        lambda snapshot, proxy, previous: ProxyView(
            Scope(key="", snapshot=snapshot, proxy_type=proxy.type, namespace=proxy.namespace)
        ),
        lambda of: ResourceSet(),
    )
    found = Hub(core, Metrics())
    if config is not None:
        found.publish(config)
    return found


async def nothing() -> None:
    raise AssertionError("every pod is known")


def guarded(tokens: Tokens, *, on: bool = True) -> web.Application:
    authenticator = Authenticator(tokens.path, lambda: CONFIG, nothing)
    guard = Guard(authenticator, "istio-system", ("tools",), on=on)
    return shown(hub(CONFIG)).application(guard)


def shown(of: Hub, *, on: bool = True) -> Debug:
    return Debug(of, Metrics(), Pages(of, dict), shown=on)


class Plain(asyncio.Transport):
    """A connection without TLS: of its peer nothing is known."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


async def ask(app: web.Application, path: str, remote: str, token: str = "") -> tuple[int, str]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = make_mocked_request("GET", path, headers=headers, app=app, transport=Plain()).clone(remote=remote)
    match = await app.router.resolve(request)
    match.add_app(app)
    request._match_info = match
    handler = match.handler
    for middleware in reversed(app.middlewares):
        handler = _with(middleware, handler)
    try:
        answer: Any = await handler(request)
    except web.HTTPException as error:
        return error.status, error.text or ""
    return answer.status, answer.text or ""


def _with(middleware: Any, handler: Any) -> Any:
    return lambda request: middleware(request, handler)


@pytest.mark.row("PO-14", "DBG-02")
@pytest.mark.parametrize(
    ("path", "remote", "account", "status"),
    [
        ("/debug/configz", "127.0.0.1", "", 200),
        ("/debug/configz", "::1", "", 200),
        ("/debug/configz", "10.0.0.9", "", 401),
        ("/debug/configz", "10.0.0.9", "nonsense", 401),
        ("/debug/configz", "unknown", "", 401),
        ("/debug/configz", "10.0.0.9", "istio-system/kiali", 200),
        ("/debug/configz", "10.0.0.9", "tools/viewer", 200),
        ("/debug/configz", "10.0.0.9", "shop/web", 403),
        ("/debug/syncz", "10.0.0.9", "shop/web", 403),
        ("/debug/config_dump?proxyID=web-0.shop", "10.0.0.9", "shop/web", 404),
        ("/debug/config_dump", "10.0.0.9", "shop/web", 400),
        ("/debug/nonsense", "127.0.0.1", "", 404),
        ("/ready", "10.0.0.9", "", 200),
        ("/metrics", "10.0.0.9", "", 200),
        ("/version", "10.0.0.9", "", 200),
        ("/debug", "10.0.0.9", "", 200),
    ],
)
async def test_loopback_is_free_and_others_prove_who_they_are(
    tmp_path: Path, path: str, remote: str, account: str, status: int
) -> None:
    tokens = Tokens(tmp_path / "jwks.json")
    namespace, _, name = account.partition("/")
    token = tokens.token(namespace, name, f"{name}-0") if name else account
    assert (await ask(guarded(tokens), path, remote, token))[0] == status


async def test_the_guard_can_be_switched_off(tmp_path: Path) -> None:
    app = guarded(Tokens(tmp_path / "jwks.json"), on=False)
    assert (await ask(app, "/debug/configz", "10.0.0.9"))[0] == 200


@pytest.mark.row("PO-11", "DBG-01")
async def test_ready_only_after_the_first_snapshot() -> None:
    empty = shown(hub(None)).application(None)
    assert (await ask(empty, "/ready", "10.0.0.9"))[0] == 503
    full = shown(hub(CONFIG)).application(None)
    assert (await ask(full, "/ready", "10.0.0.9"))[0] == 200
    status, version = await ask(full, "/version", "10.0.0.9")
    assert status == 200
    assert version.count("-") >= 2
    assert not version.startswith("{")


@pytest.mark.row("DBG-05")
async def test_pages_are_json_and_may_be_indented() -> None:
    app = shown(hub(CONFIG)).application(None)
    assert await ask(app, "/debug/resourcesz", "") != await ask(app, "/debug/resourcesz?pretty", "")
    assert json.loads((await ask(app, "/debug/resourcesz?pretty", ""))[1]) == json.loads(
        (await ask(app, "/debug/resourcesz", ""))[1]
    )
    assert 'href="debug/syncz"' in (await ask(app, "/debug", ""))[1]


@pytest.mark.row("DBG-02")
async def test_all_pages_can_be_taken_off_the_network(tmp_path: Path) -> None:
    guard = Guard(Authenticator(Tokens(tmp_path / "jwks.json").path, lambda: CONFIG, nothing), "x", (), on=True)
    open_to_all = shown(hub(CONFIG), on=False).application(guard)
    paths = {resource.canonical for resource in open_to_all.router.resources()}
    assert paths == {"/ready", "/version", "/metrics"}
    assert "/debug/{page}" in {each.canonical for each in shown(hub(CONFIG), on=False).application().router.resources()}


async def test_findings_of_a_revision_wait_until_it_is_built() -> None:
    of = hub(CONFIG)
    app = shown(of).application(None)
    assert await ask(app, "/v1/findings?revision=1&timeout=0.01", "") == (200, "[]")
    assert (await ask(app, "/v1/findings?revision=2&timeout=0.01", ""))[0] == 503
    assert (await ask(app, "/v1/findings?revision=two", ""))[0] == 400
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(ask(app, "/v1/findings?revision=2&timeout=5", ""))
        await asyncio.sleep(0)
        of.publish(Config(revision=2))
    assert asked.result() == (200, "[]")
