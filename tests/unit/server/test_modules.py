"""What an agent is told to fetch, and with which password."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.extension import Module
from mizzen.server.modules import document
from tests.meshes import new

TYPE = "kubernetes.io/dockerconfigjson"
OPEN = Module("http://h.example/x.wasm", "a" * 64, "shop")
PRIVATE = Module("oci://r.example/x:v1", "", "shop", "pull")


def secret(kind: str = TYPE, **data: Any) -> Object:
    return new("v1", "Secret", "shop", "pull", {}, type=kind, **data)


def entry(*objects: Object, secrets: bool = True) -> dict[str, str]:
    (found,) = document([PRIVATE], Config().with_objects(objects), secrets=secrets)["modules"]
    return dict(found)


@pytest.mark.row("AG-12")
def test_the_version_follows_the_content() -> None:
    one, two = document([OPEN], Config(), secrets=True), document([OPEN, PRIVATE], Config(), secrets=True)
    assert one["modules"] == [{"key": OPEN.key, "url": OPEN.url, "sha256": OPEN.sha256}]
    assert one["version"] != two["version"]
    assert one == document([OPEN], Config(), secrets=False)


@pytest.mark.row("WP-04")
def test_the_password_goes_only_to_whom_it_may() -> None:
    packed = secret(data={".dockerconfigjson": base64.b64encode(b"{}").decode()})
    assert entry(packed)["auth"] == "{}"
    assert entry(secret(stringData={".dockerconfigjson": "{}"}))["auth"] == "{}"
    refused = entry(packed, secrets=False)
    assert "auth" not in refused
    assert "not given" in refused["problem"]


@pytest.mark.row("WP-04")
@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ((), "missing"),
        ((secret("Opaque", data={".dockerconfigjson": "e30="}),), "not of type"),
        ((secret(data={".dockerconfigjson": "%"}),), "not of type"),
    ],
)
def test_without_the_secret_nothing_is_fetched(objects: tuple[Object, ...], why: str) -> None:
    found = entry(*objects)
    assert "auth" not in found
    assert why in found["problem"]
