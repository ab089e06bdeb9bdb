from __future__ import annotations

import gc
import weakref

from msgspec import structs

from mizzen.controlplane import compiler
from mizzen.model.config import Config
from mizzen.model.proxy import Proxy, ProxyType


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
