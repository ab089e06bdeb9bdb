from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.test_apply import GOOD


@pytest.mark.row("IX-07")
def test_a_good_file(mizzen: Mizzen, tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    assert mizzen("validate", "-f", str(path)) == (0, f'"{path}" is valid\n', "")


@pytest.mark.row("IX-07")
def test_an_unknown_field_is_an_error_with_its_line(mizzen: Mizzen, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace("hosts:", "hostz:"))
    result = mizzen("validate", "-f", str(tmp_path))
    assert (result.code, result.out) == (3, "")
    assert f"{path}:6: Error" in result.err
    assert "hostz" in result.err
    findings = json.loads(mizzen("validate", str(path), "-o", "json").out)
    assert {finding["name"] for finding in findings} == {"reviews"}


def test_nothing_named_is_wrong_usage(mizzen: Mizzen) -> None:
    assert mizzen("validate").code == 2
