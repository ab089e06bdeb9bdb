"""Names of cipher suites."""

from __future__ import annotations

import pytest

from mizzen.api.ciphers import is_suite, usable


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("AES128-SHA", True),
        ("ECDHE-RSA-AES128-GCM-SHA256", True),
        ("[A|B]", True),
        ("ALL", True),
        ("AES", False),
        ("", False),
    ],
)
def test_known(text: str, known: bool) -> None:
    assert is_suite(text) is known


@pytest.mark.row("GW-23")
def test_unknown_and_repeated_ones_are_left_out() -> None:
    assert usable(("AES128-SHA", "ROT13", "AES256-SHA", "AES128-SHA")) == ("AES128-SHA", "AES256-SHA")
