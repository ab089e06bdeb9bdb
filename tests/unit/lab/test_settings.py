"""mizzen.yaml."""

from pathlib import Path

import pytest

from mizzen.errors import LabError
from mizzen.lab import settings


def test_what_is_written_is_read_and_an_empty_section_is_none(tmp_path: Path) -> None:
    path = tmp_path / "mizzen.yaml"
    path.write_text("images: {mine: run}\nhosts:\nsubnets: {network: 10.9.0.0/16}\ncontrolPlane: {env: {A: 1}}\n")
    assert settings.read(path) == {
        "images": {"mine": "run"},
        "hosts": {},
        "subnets": {"network": "10.9.0.0/16"},
        "controlPlane": {"env": {"A": 1}},
    }
    path.write_text("")
    assert settings.read(path) == settings.read(None) == {}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("imagez: {}", "unknown setting 'imagez'", "did you mean images?"),
        ("subnets: {pods: 10.0.0.0/8}", "subnets: unknown setting 'pods'", "there are: network"),
        ("hosts: [a]", "hosts must be a mapping", ""),
        ("- a", "must be a mapping", ""),
        ("a: [b", "is not YAML: .* line 1", ""),
    ],
)
def test_a_setting_that_nothing_would_look_at_is_refused(tmp_path: Path, text: str, message: str, hint: str) -> None:
    path = tmp_path / "mizzen.yaml"
    path.write_text(text)
    with pytest.raises(LabError, match=message) as error:
        settings.read(path)
    assert str(path) in str(error.value)
    assert hint in error.value.hint


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot be read"):
        settings.read(tmp_path / "none.yaml")


def test_the_same_settings_have_the_same_digest_however_they_are_written(tmp_path: Path) -> None:
    one, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    one.write_text("hosts: {a: 10.0.0.1, b: 10.0.0.2}\n")
    other.write_text("hosts:\n  b: 10.0.0.2\n  a: 10.0.0.1\n")
    assert settings.digest(settings.read(one)) == settings.digest(settings.read(other))
    other.write_text("hosts: {a: 10.0.0.1}\n")
    assert settings.digest(settings.read(one)) != settings.digest(settings.read(other))


def test_the_control_planes_environment_is_text() -> None:
    assert settings.controlplane_environment({"controlPlane": {"env": {"A": True, "B": 1}}}) == {"A": "True", "B": "1"}
    assert settings.controlplane_environment({}) == {}


def test_peers_are_names_of_meshes() -> None:
    assert settings.peers({}) == ()
    assert settings.peers({"peers": {"meshes": ["b", "c", "b"]}}) == ("b", "c")
    for wrong in ("b", ['b" accept']):
        with pytest.raises(LabError, match=r"peers\.meshes"):
            settings.peers({"peers": {"meshes": wrong}})
