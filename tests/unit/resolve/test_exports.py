"""``exportTo``: who sees an object."""

from __future__ import annotations

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.config import Config
from mizzen.resolve import build, exports, view
from tests.meshes import new, sidecar

PORTS = [{"name": "http", "port": 80}]


@pytest.mark.row("CM-08")
@pytest.mark.parametrize(
    ("written", "default", "seen_by"),
    [
        ((), ("*",), {"a", "b"}),
        ((".",), ("*",), {"a"}),
        (("b",), ("*",), {"b"}),
        ((".", "b"), ("*",), {"a", "b"}),
        (("~",), ("*",), set()),
        ((), (".",), {"a"}),
        (("*",), (".",), {"a", "b"}),
        ((" ",), ("~",), set()),
    ],
)
def test_an_object_of_namespace_a(written: tuple[str, ...], default: tuple[str, ...], seen_by: set[str]) -> None:
    found = exports.resolved(written, default, "a")
    assert {namespace for namespace in ("a", "b") if exports.visible(found, namespace)} == seen_by


@pytest.mark.row("CM-08")
@pytest.mark.parametrize(("annotation", "default", "seen"), [("", "*", True), (".", "*", False), (".,b", "*", True), ("", ".", False), ("~", "*", False)])  # fmt: skip
def test_a_service_says_it_in_an_annotation_or_the_mesh_does(annotation: str, default: str, seen: bool) -> None:
    meta = {"annotations": {exports.ANNOTATION: annotation}} if annotation else {}
    web = new("v1", "Service", "a", "web", {"clusterIP": "10.96.0.1", "ports": PORTS}, meta=meta)
    snapshot = build(Config(mesh=MeshConfig(default_service_export_to=(default,))).with_objects([web]))
    assert bool(view(snapshot, sidecar(1, "b")).scope.services) is seen


@pytest.mark.row("VS-08")
def test_private_before_named_before_public() -> None:
    assert exports.rank(("a",), "a", "a") == 0
    assert exports.rank(("a", "b"), "b", "a") == 1
    assert exports.rank(("*",), "a", "a") == 2
