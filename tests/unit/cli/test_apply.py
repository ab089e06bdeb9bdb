from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh

GOOD = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: {host: reviews}
"""
BAD = GOOD.replace("name: reviews", "name: broken")

FINDING = {
    "code": "IST0106",
    "level": "Error",
    "message": "no such thing",
    "kind": "VirtualService",
    "namespace": "default",
    "name": "broken",
    "field": "spec.http[0].route",
    "file": "",
    "line": 1,
}


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return str(path)


def test_an_object_is_created_in_the_default_namespace_with_its_origin(
    mesh: FakeMesh, mizzen: Mizzen, good: str
) -> None:
    assert mizzen("apply", "-f", good) == (0, "virtualservice.networking.istio.io/reviews created\n", "")
    assert mesh.origins[("VirtualService", "default", "reviews")] == {"file": good, "line": 1}


def test_the_namespace_option_places_objects_and_contradicts_none(
    mesh: FakeMesh, mizzen: Mizzen, good: str, tmp_path: Path
) -> None:
    assert mizzen("apply", "-f", good, "-n", "shop").code == 0
    assert ("VirtualService", "shop", "reviews") in mesh.objects
    other = tmp_path / "other.yaml"
    other.write_text(GOOD.replace("metadata:", "metadata:\n  namespace: bank"))
    result = mizzen("apply", "-f", str(other), "-n", "shop")
    assert result.code == 2
    assert "is in namespace bank, but -n says shop" in result.err


def test_a_refused_object_is_told_with_the_line_of_its_field_and_the_others_are_applied(
    mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path
) -> None:
    both = tmp_path / "both.yaml"
    both.write_text(f"{BAD}---\n{GOOD}")
    mesh.refuse["broken"] = {**FINDING, "file": str(both)}
    result = mizzen("apply", "-f", str(both))
    assert result.code == 1
    assert result.out == "virtualservice.networking.istio.io/reviews created\n"
    assert f"{both}:8: Error [IST0106] (VirtualService default/broken spec.http[0].route) no such thing" in result.err


def test_atomic_applies_nothing_when_one_is_refused(mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    both = tmp_path / "both.yaml"
    both.write_text(f"{BAD}---\n{GOOD}")
    mesh.refuse["broken"] = FINDING
    assert mizzen("apply", "-f", str(both), "--atomic").code == 1
    assert mesh.objects == {}


def test_broken_yaml_costs_its_own_document_only(mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    path = tmp_path / "half.yaml"
    path.write_text(f"{GOOD}---\nkind: [unclosed\n")
    result = mizzen("apply", "-f", str(path))
    assert result.code == 1
    assert "reviews created" in result.out
    assert str(path) in result.err
    assert mizzen("apply", "-f", str(path), "--atomic").code == 1
    assert len([r for r in mesh.requests if r[1] == "/v1/apply"]) == 1


def test_a_dry_run_changes_nothing_and_says_so(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    for flag in ("--dry-run", "--dry-run=server", "--dry-run=client"):
        assert mizzen("apply", "-f", good, flag).out == "virtualservice.networking.istio.io/reviews created (dry run)\n"
    assert mesh.objects == {}


def test_names_alone(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    assert mizzen("apply", "-f", good, "-o", "name").out == "virtualservice.networking.istio.io/reviews\n"


def test_no_such_file_is_an_error(mesh: FakeMesh, mizzen: Mizzen) -> None:
    result = mizzen("apply", "-f", "/no/such.yaml")
    assert (result.code, result.out) == (1, "")
    assert "/no/such.yaml" in result.err


def test_wait_tells_what_the_proxies_made_of_it(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    mesh.verdict |= {"snapshot": 12, "concerned": ["a", "b"], "acked": ["a", "b"]}
    result = mizzen("apply", "-f", good, "--wait", "-o", "json")
    document = json.loads(result.out)
    assert result.code == 0
    assert {key: document[key] for key in ("snapshot", "concerned", "acked", "refused")} == {
        "snapshot": 12,
        "concerned": ["a", "b"],
        "acked": ["a", "b"],
        "refused": [],
    }
    assert mesh.requests[-1][2]["revision"] == "1"


def test_wait_ends_with_1_when_a_proxy_refuses(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    refusal = {"proxy": "sidecar~x", "type": "LDS", "resource": "0.0.0.0_80", "reason": "duplicate matcher"}
    mesh.verdict |= {"concerned": ["a"], "refused": [refusal]}
    result = mizzen("apply", "-f", good, "--wait")
    assert result.code == 1
    assert "proxy sidecar~x refused LDS 0.0.0.0_80: duplicate matcher" in result.err


def test_wait_ends_with_4_when_a_concerned_proxy_is_gone(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    mesh.verdict |= {"done": False, "concerned": ["a"], "disconnected": ["a"]}
    result = mizzen("apply", "-f", good, "--wait", "--timeout", "1s")
    assert result.code == 4
    assert "a is concerned by the change and is not connected" in result.err


def test_wait_succeeds_at_once_when_nobody_is_concerned(mesh: FakeMesh, mizzen: Mizzen, good: str) -> None:
    result = mizzen("apply", "-f", good, "--wait")
    assert result.code == 0
    assert "no connected proxy is concerned" in result.err
