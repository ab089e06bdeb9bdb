from __future__ import annotations

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
