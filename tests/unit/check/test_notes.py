"""Notes carry object and place."""

from mizzen.api.meta import Object, ObjectMeta, Origin
from mizzen.check.notes import Notes
from mizzen.model.finding import Finding, Level


def test_notes() -> None:
    notes = Notes(Object(kind="X", meta=ObjectMeta(name="a", namespace="n"), body=None, origin=Origin("f", 3)))
    assert notes.need(True, "p", "fine")
    assert not notes.need(False, "p", "bad")
    notes.warn("q", "hm", "IST0002")
    assert notes.findings == [
        Finding(
            code="IST0106",
            level=Level.ERROR,
            message="bad",
            kind="X",
            namespace="n",
            name="a",
            field="p",
            file="f",
            line=3,
        ),
        Finding(
            code="IST0002",
            level=Level.WARNING,
            message="hm",
            kind="X",
            namespace="n",
            name="a",
            field="q",
            file="f",
            line=3,
        ),
    ]
