from __future__ import annotations

from tests.unit.cli.conftest import Mizzen


def test_it_says_that_it_is_not_there_yet(mizzen: Mizzen) -> None:
    result = mizzen("analyze", "-f", "x.yaml")
    assert (result.code, result.out) == (2, "")
    assert "not there yet" in result.err
