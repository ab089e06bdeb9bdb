"""A finding reads like a compiler's message."""

from mizzen.model.finding import Finding, Level


def test_text() -> None:
    finding = Finding(
        code="IST0106",
        level=Level.ERROR,
        message="no",
        kind="X",
        namespace="n",
        name="a",
        field="spec.b",
        file="f.yaml",
        line=7,
    )
    assert str(finding) == "f.yaml:7: Error [IST0106] (X n/a spec.b) no"
    assert str(Finding(code="MZ0001", level=Level.WARNING, message="no")) == "Warning [MZ0001] () no"
