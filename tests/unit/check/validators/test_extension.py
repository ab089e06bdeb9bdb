"""WasmPlugin and TrafficExtension."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings


@pytest.mark.row("WP-01", "WP-03", "WP-08")
@pytest.mark.parametrize(("spec", "wrong"), [
    ({"url": "oci://a/b:v1"}, []),
    ({"url": "registry.example.com/a:v1"}, []),
    ({}, ["spec.url"]),
    ({"url": "ftp://a"}, ["spec.url"]),
    ({"url": "http://[a"}, ["spec.url"]),
    ({"url": "oci://a", "sha256": "abc"}, ["spec.sha256"]),
    ({"url": "oci://a", "sha256": "a" * 64}, []),
    ({"url": "oci://a", "sha256": "A" * 64}, ["spec.sha256"]),
    ({"url": "oci://a", "match": [{"ports": [{"number": 0}]}]}, ["spec.match[0].ports[0].number"]),
    ({"url": "oci://a", "vmConfig": {"env": [{"name": "A"}, {"name": "A"}]}}, ["spec.vmConfig.env"]),
    ({"url": "oci://a", "vmConfig": {"env": [{"name": "A", "valueFrom": "HOST", "value": "x"}, {}]}}, ["spec.vmConfig.env[0].value", "spec.vmConfig.env[1].name"]),
])  # fmt: skip
def test_wasm(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("WasmPlugin", spec) == wrong


@pytest.mark.row("WP-12")
def test_a_key_to_verify_with_is_taken_with_a_warning() -> None:
    assert warnings("WasmPlugin", {"url": "oci://a", "verificationKey": "k"}) == ["spec.verificationKey"]
    assert errors("WasmPlugin", {"url": "oci://a", "verificationKey": "k"}) == []


@pytest.mark.row("WP-13")
@pytest.mark.parametrize(("spec", "wrong"), [
    ({"lua": {"inlineCode": "x = 1"}}, []),
    ({"lua": {"inlineCode": "x"}}, ["spec.lua.inlineCode"]),
    ({"wasm": {"url": "oci://a"}}, []),
    ({}, ["spec"]),
    ({"lua": {"inlineCode": "x = 1" + " " * 65536}}, ["spec.lua.inlineCode"]),
    ({"lua": {}}, ["spec.lua.inlineCode"]),
    ({"wasm": {}}, ["spec.wasm.url"]),
])  # fmt: skip
def test_traffic_extension(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("TrafficExtension", spec) == wrong
