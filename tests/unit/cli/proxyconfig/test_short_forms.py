"""Short names of the tables."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh


@pytest.mark.row("IX-16")
def test_no_secrets(proxy: FakeMesh, mizzen: Mizzen) -> None:
    assert mizzen("pc", "secrets", "p").out == "No active or warming secrets found.\n"


@pytest.mark.row("IC-04")
@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("c", "clusters"),
        ("cluster", "clusters"),
        ("l", "listeners"),
        ("r", "routes"),
        ("ep", "endpoints"),
        ("s", "secrets"),
        ("a", "all"),
    ],
)
def test_short_forms_print_the_same(proxy: FakeMesh, mizzen: Mizzen, short: str, long: str) -> None:
    assert mizzen("pc", short, "p") == mizzen("proxy-config", long, "p")
