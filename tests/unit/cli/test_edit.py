from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, virtual_service
from tests.unit.cli.test_apply import FINDING

KEY = ("VirtualService", "default", "reviews")


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("KUBE_EDITOR", raising=False)
    return tmp_path


def test_an_edit_is_applied(mesh: FakeMesh, mizzen: Mizzen, editor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh.put(virtual_service("reviews"))
    monkeypatch.setenv("EDITOR", "sed -i s/host:.reviews/host:\\ ratings/")
    assert mizzen("edit", "vs", "reviews") == (0, "virtualservice.networking.istio.io/reviews edited\n", "")
    assert mesh.objects[KEY]["spec"]["http"][0]["route"][0]["destination"]["host"] == "ratings"
    assert not list(editor.glob("mizzen-edit-*"))


def test_no_edit_changes_nothing(mesh: FakeMesh, mizzen: Mizzen, editor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh.put(virtual_service("reviews"))
    monkeypatch.setenv("EDITOR", "true")
    assert mizzen("edit", "vs/reviews").out == "Edit cancelled, no changes made.\n"
    assert not [request for request in mesh.requests if request[1] == "/v1/apply"]


def test_a_refused_edit_is_kept(mesh: FakeMesh, mizzen: Mizzen, editor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh.put(virtual_service("reviews"))
    mesh.refuse["reviews"] = {**FINDING, "name": "reviews"}
    monkeypatch.setenv("EDITOR", "sed -i s/host:.reviews/host:\\ ratings/")
    result = mizzen("edit", "vs", "reviews")
    assert result.code == 1
    kept = re.search(r"kept in (\S+):", result.err)
    assert kept is not None
    assert "ratings" in Path(kept[1]).read_text()


def test_the_name_cannot_be_edited(
    mesh: FakeMesh, mizzen: Mizzen, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh.put(virtual_service("reviews"))
    monkeypatch.setenv("EDITOR", "sed -i s/name:.reviews/name:\\ other/")
    result = mizzen("edit", "vs", "reviews")
    assert result.code == 1
    assert "cannot be edited" in result.err


def test_an_editor_that_is_not_there(
    mesh: FakeMesh, mizzen: Mizzen, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh.put(virtual_service("reviews"))
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    assert "could not be started" in mizzen("edit", "vs", "reviews").err
    assert mizzen("edit", "vs", "ghost").code == 1
    assert mizzen("edit", "vs").code == 2
