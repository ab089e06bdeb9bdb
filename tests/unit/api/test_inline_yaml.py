"""YAML of strangers inside annotations: read, or refused before it can do harm."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.inline_yaml import MAX_CHARACTERS, MAX_VALUES, load
from mizzen.api.reader import MAX_DEPTH

LAUGHS = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x]"]
    + [f"{new}: &{new} [{', '.join(['*' + old] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("a: {b: [1, true, x]}", {"a": {"b": [1, True, "x"]}}),
        ("a: 2020-01-01\nb: 2001-12-14t21:59:43.10-05:00", {"a": "2020-01-01", "b": "2001-12-14t21:59:43.10-05:00"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
    ],
)
def test_what_is_read(text: str, value: Any) -> None:
    assert load(text) == value


def test_depth_up_to_the_limit_is_read() -> None:
    assert str(load("[" * MAX_DEPTH + "]" * MAX_DEPTH)) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: b: c", "not YAML"),
        ("a: *none", "not YAML"),
        ("a: !!python/object:os.system {}", "not YAML"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("[" * 200_000, "levels deep"),
        ("- " * 100_000, "levels deep"),
        ("{a: " * 60_000, "levels deep"),
        (LAUGHS, "values"),
        ("a: &a [*a]", "part of"),
        ("a: &x 1\nb: [" + "*x," * (MAX_CHARACTERS // 3) + "]", "longer"),
        ("[" + "1," * (MAX_VALUES + 1) + "]", "values"),
        ("\0", "not YAML"),
        ("a: !!timestamp 2020-01-01", "not YAML"),
        ("a: !!set {b}", "not YAML"),
        ("a: !!binary aGk=", "not YAML"),
        ("a: !!bool x", "not fit its tag"),
        ("a: !!int ''", "not fit its tag"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        load(text)
    assert "\n" not in str(error.value)
