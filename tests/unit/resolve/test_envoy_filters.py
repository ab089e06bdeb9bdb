from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mizzen.resolve.envoy_filters import patches
from tests.scenes import Scene
from tests.unit.translate.patches.patching import LUA, document, patch

ONE = patch("HTTP_FILTER", "ADD", LUA)


def chosen(*documents: str, where: str = "shop/web-0", **proxy: Any) -> list[str]:
    scene = Scene("---\n".join(documents))
    found = patches(scene.snapshot, msgspec.structs.replace(scene.proxy(where), **proxy))
    return [f"{p.owner.namespace}/{p.owner.name}[{p.index}]" for p in found.patches]


@pytest.mark.row("EF-01", "EF-02")
def test_root_namespace_first_then_own_and_priority_before_both() -> None:
    documents = (
        document(ONE, name="own"),
        document(ONE, ONE, name="root", namespace="istio-system"),
        document(ONE, name="late", namespace="istio-system", priority=5),
        document(ONE, name="early", priority=-5),
        document(ONE, name="foreign", namespace="other"),
        document(ONE, name="others", workloadSelector={"labels": {"app": "reviews"}}),
    )
    wanted = ["shop/early[0]", "istio-system/root[0]", "istio-system/root[1]", "shop/own[0]", "istio-system/late[0]"]
    assert chosen(*documents) == wanted


@pytest.mark.row("EF-09")
def test_contexts() -> None:
    contexts = ("ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY")
    text = document(*(patch("HTTP_FILTER", "ADD", LUA, context=c) for c in contexts), namespace="istio-system")
    assert [entry[-2] for entry in chosen(text)] == ["0", "1", "2"]
    assert [entry[-2] for entry in chosen(text, where="istio-system/edge-0")] == ["0", "3"]


@pytest.mark.row("EF-10")
@pytest.mark.parametrize(
    ("match", "version", "metadata", "fits"),
    [
        ({"proxyVersion": r"^1\.2[0-9]"}, "1.29.1", {}, True),
        ({"proxyVersion": r"29"}, "1.29.1", {}, True),
        ({"proxyVersion": r"^1\.2[0-9]"}, "1.30.0", {}, False),
        ({"proxyVersion": ".*"}, "", {}, False),
        ({"proxyVersion": "1" * 1025 + "|."}, "1.29.1", {}, False),
        ({"metadata": {"K": "v"}}, "", {"K": "v"}, True),
        ({"metadata": {"K": "v", "L": "w"}}, "", {"K": "v"}, False),
    ],
)
def test_what_a_proxy_says_of_itself(match: dict[str, Any], version: str, metadata: dict[str, str], fits: bool) -> None:
    text = document(patch("HTTP_FILTER", "ADD", LUA, proxy=match))
    assert bool(chosen(text, version=version, metadata=metadata)) is fits


def test_without_patches_all_proxies_share_one_empty_set() -> None:
    scene = Scene()
    assert scene.view().patches is scene.view("shop/reviews-v1-0").patches
