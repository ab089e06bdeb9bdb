from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from mizzen import controlplane
from mizzen.controlplane import Options, compiler
from mizzen.model.access import AuthorizationMode
from mizzen.model.config import Config
from mizzen.model.proxy import Proxy, ProxyType
from mizzen.settings import Settings


def test_the_core_is_wired_and_keeps_what_it_made_of_a_view() -> None:
    core = compiler()
    snapshot = core.build(Config(), None)
    proxy = Proxy(
        id="sidecar~10.0.0.1~a.b~b.svc.cluster.local",
        type=ProxyType.SIDECAR,
        address="10.0.0.1",
        name="a",
        namespace="b",
    )
    view = core.view(snapshot, proxy, None)
    first = core.resources(view)
    assert first.types
    assert {u: {n: r.version for n, r in found.items()} for u, found in first.types.items()} == {
        u: {n: r.version for n, r in found.items()} for u, found in core.resources(view).types.items()
    }


def test_old_snapshots_are_let_go_of() -> None:
    core, gone = compiler(), []
    proxy = Proxy(
        id="sidecar~10.0.0.1~a.b~b.svc.cluster.local",
        type=ProxyType.SIDECAR,
        address="10.0.0.1",
        name="a",
        namespace="b",
    )
    for revision in range(40):
        # Another namespace each time: another view, which is never asked for again.
        other = structs.replace(proxy, namespace=f"b{revision}")
        snapshot = core.build(Config(revision=revision), None)
        core.resources(core.view(snapshot, other, None))
        gone.append(weakref.ref(snapshot))
    del snapshot
    gc.collect()
    assert sum(1 for ref in gone if ref() is not None) <= 32


def test_options_and_environment_become_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Settings] = []

    async def running(_: Any, settings: Settings) -> None:
        told.append(settings)

    monkeypatch.setattr(controlplane, "_run", running)
    monkeypatch.setattr(controlplane, "configure_logs", lambda: None)
    monkeypatch.setenv("PILOT_MAX_REQUESTS_PER_SECOND", "7")
    place = Path("/nowhere")
    options = Options(
        socket=place,
        state=place,
        debug_socket=place,
        token_jwks=place,
        authorization=AuthorizationMode.RBAC,
    )
    controlplane.run(options)
    assert told[0].stream_rate == 7
    assert told[0].features.authorization is AuthorizationMode.RBAC
