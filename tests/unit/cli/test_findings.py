from __future__ import annotations

import pytest

from mizzen.cli.findings import as_json, has_error, line_of, show
from mizzen.model.finding import Finding, Level

FINDING = Finding(
    code="IST0101",
    level=Level.ERROR,
    message="the host is not known",
    kind="VirtualService",
    namespace="shop",
    name="web",
    field="spec.http[0].route[0].destination.host",
    file="web.yaml",
    line=7,
)


def test_a_line_names_file_code_object_and_field() -> None:
    assert line_of(as_json(FINDING)) == (
        "web.yaml:7: Error [IST0101] (VirtualService shop/web spec.http[0].route[0].destination.host)"
        " the host is not known"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert line_of({"code": "X", "level": "Warning", "message": "odd"}) == "Warning [X] odd"


def test_the_same_finding_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    show([as_json(FINDING), as_json(FINDING)])
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


def test_only_errors_are_errors() -> None:
    assert has_error([{"level": "Warning"}, {"level": "Error"}])
    assert not has_error([{"level": "Warning"}, {"level": "Info"}])
