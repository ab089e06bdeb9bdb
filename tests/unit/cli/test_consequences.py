"""What a change means for the mesh as a whole is told with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mizzen.cli.consequences import identity
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, virtual_service
from tests.unit.cli.test_apply import GOOD

SERVICE = ("VirtualService", "default", "reviews")
MISSING: dict[str, Any] = {
    "code": "IST0101",
    "level": "Warning",
    "message": "no such subset: v9",
    "kind": "VirtualService",
    "namespace": "default",
    "name": "reviews",
    "field": "spec.http[0].route",
    "file": "",
    "line": 1,
}
OTHER = {**MISSING, "name": "ratings"}


def test_an_identity_does_not_depend_on_the_place_in_a_file() -> None:
    assert identity(MISSING) == identity({**MISSING, "file": "other.yaml", "line": 99})
    assert identity(MISSING) != identity(OTHER)


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return str(path)


def test_a_finding_of_the_snapshot_is_told_with_the_line_of_its_field_and_is_no_refusal(
    mesh: FakeMesh, mizzen: Mizzen, good: str
) -> None:
    mesh.findings = lambda mesh: [{**MISSING, "file": good}] if SERVICE in mesh.objects else []
    for arguments in ([], ["--wait"]):
        result = mizzen("apply", "-f", good, *arguments)
        assert result.code == 0
        assert f"{good}:8: Warning [IST0101] (VirtualService default/reviews spec.http[0].route)" in result.err
    asked = [query for method, path, query in mesh.requests if path == "/v1/findings"]
    assert [query["revision"] for query in asked] == ["0", "1", "0", "2"], "before, and when the change is built"
    assert json.loads(mizzen("apply", "-f", good, "-o", "json").out)["findings"][0]["code"] == "IST0101"


def test_what_a_change_brings_out_elsewhere_is_told_and_what_was_there_before_is_not(
    mesh: FakeMesh, mizzen: Mizzen, good: str
) -> None:
    old = {**OTHER, "name": "old"}
    mesh.findings = lambda mesh: [old, OTHER] if SERVICE in mesh.objects else [old]
    err = mizzen("apply", "-f", good).err
    assert "default/ratings" in err
    assert "default/old" not in err


def test_deleting_tells_who_misses_what_is_gone(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(virtual_service("reviews"))
    mesh.findings = lambda mesh: [] if SERVICE in mesh.objects else [OTHER]
    result = mizzen("delete", "vs", "reviews")
    assert result.code == 0
    assert "default/ratings" in result.err


def test_a_dry_run_asks_nothing_of_a_snapshot_that_will_not_be(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    mesh.findings = lambda mesh: [MISSING]
    assert mizzen("apply", "-f", good, "--dry-run").err == ""


def test_a_control_plane_that_is_away_does_not_fail_the_change(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    (mesh.state / "run" / "controlplane.sock").unlink()
    result = mizzen("apply", "-f", good)
    assert result.code == 0
    assert "could not be checked" in result.err


def test_what_only_agents_find_out_is_told_after_the_wait(mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    finding = {**MISSING, "code": "MZ0407", "kind": "WasmPlugin", "name": "p", "message": "the module is not there"}
    mesh.findings = lambda mesh: [finding] if any(path == "/v1/wait" for _, path, _ in mesh.requests) else []
    path = tmp_path / "plugin.yaml"
    path.write_text(
        "{apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, metadata: {name: p}, spec: {url: 'file:///x'}}"
    )
    result = mizzen("apply", "--wait", "-f", str(path), "-o", "json")
    assert [f["code"] for f in json.loads(result.out)["findings"]] == ["MZ0407"]
    assert result.err.count("the module is not there") == 1
