from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from mizzen.cli.output import age, colored, span, table, to_yaml


def test_a_table_is_aligned_and_has_no_trailing_blanks() -> None:
    assert table(("NAME", "X"), [("long-name", ""), ("b", "1")]) == "NAME        X\nlong-name\nb           1"
    assert table(("NAME",), [("a",)], headers=False) == "a"
    assert table((), [], headers=False) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (192, "3m12s"),
        (1800, "30m"),
        (18000, "5h"),
        (12000, "3h20m"),
        (187200, "2d4h"),
        (864000, "10d"),
        (63072000, "2y"),
    ],
)
def test_spans_are_kubectls(seconds: int, text: str) -> None:
    assert span(seconds) == text


def test_an_age_is_counted_from_now() -> None:
    now = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert age("2026-01-01T00:00:00.123456Z", now) == "59s"
    assert (age("", now), age("soon", now)) == ("<unknown>", "<invalid>")


def test_yaml_keeps_the_order_and_blocks() -> None:
    data = {"z": 1, "a": "one\ntwo\n"}
    text = to_yaml(data)
    assert text == "z: 1\na: |\n  one\n  two"
    assert yaml.safe_load(text + "\n") == data


def test_no_colours_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colored("x", "31") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert colored("x", "31") == "x"
