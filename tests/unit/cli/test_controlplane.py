from __future__ import annotations

from tests.unit.cli.conftest import Mizzen


def test_without_its_files_it_is_a_usage_error_that_names_the_first(mizzen: Mizzen) -> None:
    result = mizzen("controlplane")
    assert (result.code, "--socket" in result.err) == (2, True)
