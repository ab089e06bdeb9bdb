from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build, view
from mizzen.resolve.entry_visibility import EntryVisibility
from tests.meshes import NETWORKING, new, sidecar

QUIET = {"visibility": "NAMESPACE", "matchingRules": [{"namespaceSelector": {"matchLabels": {"team": "quiet"}}}]}
HIDDEN = {
    "visibility": "NONE",
    "matchingRules": [{"namespaceSelector": {"matchExpressions": [{"key": "hidden", "operator": "Exists"}]}}],
}


def namespace(name: str, **labels: str) -> Object:
    return new("v1", "Namespace", "", name, {}, meta={"labels": labels})


def limits(
    *policies: dict[str, Any], labels: dict[str, str], default: str = "", obeyed: bool = True
) -> EntryVisibility:
    settings = {"applyToSidecars": obeyed, "defaultVisibility": default, "policies": list(policies)}
    return EntryVisibility(MeshConfig(service_entry_visibility=settings), {("", "a"): namespace("a", **labels)})


@pytest.mark.row("SE-20")
@pytest.mark.parametrize(
    ("labels", "written", "narrowed"),
    [
        ({}, ("*",), ("*",)),
        ({"team": "quiet"}, ("*",), ("a",)),
        ({"team": "quiet"}, ("a", "b"), ("a",)),
        ({"team": "quiet"}, ("b",), ("~",)),
        ({"hidden": ""}, ("*",), ("~",)),
        ({"hidden": "", "team": "quiet"}, ("*",), ("a",)),
    ],
)
def test_the_first_policy_whose_rules_match_decides_and_never_widens(
    labels: dict[str, str], written: tuple[str, ...], narrowed: tuple[str, ...]
) -> None:
    assert limits(QUIET, HIDDEN, labels=labels).narrowed(written, "a") == narrowed


@pytest.mark.row("SE-20")
def test_the_default_and_who_obeys() -> None:
    assert limits(QUIET, labels={}, default="NAMESPACE").narrowed(("*",), "a") == ("a",)
    assert limits(labels={}, default="PUBLIC").narrowed(("b",), "a") == ("b",)
    assert limits(QUIET, labels={"team": "quiet"}, obeyed=False).narrowed(("*",), "a") == ("*",)


@pytest.mark.row("SE-20")
def test_an_entry_of_a_quiet_namespace_has_no_cluster_elsewhere() -> None:
    spec = {
        "hosts": ["ext.example"],
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        "resolution": "DNS",
    }
    objects = [namespace("a", team="quiet"), new(NETWORKING, "ServiceEntry", "a", "ext", spec)]
    mesh = MeshConfig(service_entry_visibility={"applyToSidecars": True, "policies": [QUIET]})
    snapshot = build(Config(mesh=mesh).with_objects(objects))
    assert [s.hostname for s in view(snapshot, sidecar(1, "a")).scope.services] == ["ext.example"]
    assert view(snapshot, sidecar(1, "b")).scope.services == ()
