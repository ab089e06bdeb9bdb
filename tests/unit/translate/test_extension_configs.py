"""What comes under the name of an extension's filter."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.core.v3 import extension_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.wasm.v3 import wasm_pb2
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as network_rbac_pb2

from mizzen.model.extension import Delivery, Way
from mizzen.model.resources import Resource
from mizzen.model.view import Plugins
from mizzen.resolve.extensions import extensions
from mizzen.translate import extension_configs
from tests.meshes import new

API = "extensions.istio.io/v1alpha1"


def plugins(delivery: Delivery, **spec: Any) -> Plugins:
    obj = new(API, "WasmPlugin", "a", "p", {"url": "oci://r.example/x:v1", **spec})
    return Plugins("k", tuple((item, delivery) for item in extensions({("a", "p"): obj}, {}, "root")))


def made(way: Way, **spec: Any) -> list[Resource]:
    return list(extension_configs.resources(plugins(Delivery(way), **spec)))


def message(found: list[Resource], kind: Any) -> Any:
    (resource,) = found
    config = extension_pb2.TypedExtensionConfig.FromString(resource.body)
    value = kind()
    assert config.typed_config.Unpack(value), config.typed_config.type_url
    return value


@pytest.mark.row("WP-07")
@pytest.mark.parametrize("way", [Way.UNKNOWN, Way.FAILED])
@pytest.mark.parametrize(
    ("strategy", "denies"), [("FAIL_CLOSE", True), ("FAIL_RELOAD", True), ("FAIL_OPEN", False), (None, True)]
)
def test_while_the_module_is_not_there_everything_is_denied_unless_failures_open(
    way: Way, strategy: str | None, denies: bool
) -> None:
    spec = {"failStrategy": strategy} if strategy else {}
    # Rules without policies allow nobody; no rules at all let everybody by.
    assert message(made(way, **spec), rbac_pb2.RBAC).HasField("rules") is denies
    bytes_ = message(made(way, type="NETWORK", **spec), network_rbac_pb2.RBAC)
    assert bytes_.HasField("rules") is denies
    assert bytes_.stat_prefix


@pytest.mark.row("WP-07")
def test_only_before_the_agents_first_word_is_the_substitute_a_stopgap() -> None:
    assert [r.stopgap for r in made(Way.UNKNOWN)] == [True]
    assert [r.stopgap for r in made(Way.FAILED)] == [False]
    assert made(Way.AWAITED) == [], "the proxy keeps what it has"


@pytest.mark.row("WP-02")
def test_a_module_in_the_pod_is_a_local_file() -> None:
    found = list(extension_configs.resources(plugins(Delivery(Way.FILE, "/d/x.wasm"))))
    config = message(found, wasm_pb2.Wasm).config
    assert config.vm_config.code.local.filename == "/d/x.wasm"
    assert config.name == "a.p~istio-translated-wasmplugin"


@pytest.mark.row("WP-07")
def test_a_failed_fetch_is_told_with_what_it_means() -> None:
    closed = list(extension_configs.findings(plugins(Delivery(Way.FAILED, reason="404"))))
    opened = list(extension_configs.findings(plugins(Delivery(Way.FAILED, reason="404"), failStrategy="FAIL_OPEN")))
    assert [(f.code, f.field) for f in (*closed, *opened)] == [("MZ0407", "spec.url")] * 2
    assert "404; its traffic is denied" in closed[0].message
    assert "passes without it" in opened[0].message
    assert not list(extension_configs.findings(plugins(Delivery(Way.FILE, "/d/x.wasm"))))
