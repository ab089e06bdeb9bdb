from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Mizzen


@pytest.mark.row("IX-34")
@pytest.mark.parametrize("name", ["experimental", "x", "exp"])
def test_the_group_has_istios_names(mizzen: Mizzen, name: str) -> None:
    assert "workload" in mizzen(name, "--help").out
    help_text = mizzen(name, "workload", "--help").out
    assert "group" in help_text
    assert "entry" in help_text
