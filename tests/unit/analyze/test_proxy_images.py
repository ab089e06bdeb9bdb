from __future__ import annotations

import json
from typing import Any

import pytest

from mizzen.analyze.proxy_images import proxy_images
from tests.unit.analyze.estates import Json, found, injected, messages, obj

TOLD = [("IST0158", "Namespace a")]


def values(name: str = "istio-sidecar-injector", **proxy: Any) -> Json:
    held = {"global": {"hub": "hub/x", "tag": "2", "proxy": {"image": "proxyv2", **proxy}}}
    return obj("ConfigMap", name, namespace="istio-system", data={"values": json.dumps(held)})


def proxied(image: str, name: str = "p", **more: Any) -> Json:
    return obj("Pod", name, {"containers": [{"name": "istio-proxy", "image": image}]}, "a", **more)


@pytest.mark.row("IM-37")
def test_pods_with_another_image() -> None:
    assert found(proxy_images, injected("a"), values(), proxied("hub/x/proxyv2:1")) == TOLD
    assert found(proxy_images, injected("a"), values(), proxied("hub/x/proxyv2:2")) == []
    assert found(proxy_images, obj("Namespace", "a"), values(), proxied("hub/x/proxyv2:1")) == []
    assert found(proxy_images, injected("a"), proxied("hub/x/proxyv2:1")) == []
    assert found(proxy_images, injected("a"), values(image="own/proxy:3"), proxied("own/proxy:3")) == []
    several = [proxied("old", name) for name in ("z", "y")]
    assert "y, z" in messages(proxy_images, injected("a"), values(), *several)[0]


@pytest.mark.row("IM-37")
def test_only_pods_that_run_are_told() -> None:
    template = {"spec": {"containers": [{"name": "istio-proxy", "image": "old"}]}}
    coming = obj("Deployment", "d", {"template": template}, "a")
    assert found(proxy_images, injected("a"), values(), coming, files_only=True) == []


@pytest.mark.row("IM-37")
def test_a_pod_with_an_image_of_its_own() -> None:
    own = proxied("mine", annotations={"sidecar.istio.io/proxyImage": "mine"})
    assert found(proxy_images, injected("a"), values(), own) == []


@pytest.mark.row("IM-37")
def test_revisions_have_settings_of_their_own() -> None:
    home = obj("Namespace", "a", labels={"istio.io/rev": "canary"})
    assert found(proxy_images, home, values(), proxied("old")) == []
    assert found(proxy_images, home, values("istio-sidecar-injector-canary"), proxied("old")) == TOLD


@pytest.mark.row("IM-37")
def test_variants() -> None:
    slim = proxied("hub/x/proxyv2:2-slim")
    base = (injected("a"), values())
    mesh = {"defaultConfig": {"image": {"imageType": "slim"}}}
    assert found(proxy_images, *base, slim) == TOLD
    assert found(proxy_images, *base, slim, mesh=mesh) == []
    assert found(proxy_images, *base, proxied("hub/x/proxyv2:2"), mesh=mesh) == []

    def config(namespace: str, kind: str, **more: Any) -> Json:
        return obj("ProxyConfig", f"c-{kind}", {"image": {"imageType": kind}, **more}, namespace)

    assert found(proxy_images, *base, slim, config("istio-system", "slim")) == []
    assert found(proxy_images, *base, slim, config("istio-system", "slim"), config("a", "debug")) == TOLD
    nothing = obj("ProxyConfig", "n", {"concurrency": 1, "selector": {"matchLabels": {"app": "p"}}}, "a")
    labelled_slim = {**slim, "metadata": {**slim["metadata"], "labels": {"app": "p"}}}
    assert found(proxy_images, *base, labelled_slim, config("a", "slim"), nothing) == []
    mine = config("a", "slim", selector={"matchLabels": {"app": "p"}})
    labelled = {**slim, "metadata": {**slim["metadata"], "labels": {"app": "p"}}}
    assert found(proxy_images, *base, labelled, config("a", "debug"), mine) == []
    assert found(proxy_images, *base, slim, config("a", "debug"), mine) == TOLD
    said = {"proxy.istio.io/config": "image: {imageType: slim}"}
    noted = proxied("hub/x/proxyv2:2-slim", annotations=said)
    assert found(proxy_images, *base, noted, config("a", "debug")) == []
