"""Rows DBG-03, XD-07: what a session tells about itself."""

import pytest

from mizzen.xds.status import TypeStatus, version


def test_a_version_stands_for_the_content() -> None:
    assert version({"a": "1", "b": "2"}) == version({"b": "2", "a": "1", "gone": None})
    assert version({"a": "1"}) != version({"a": "2"})
    assert version({}) == version({"gone": None}) == ""


@pytest.mark.row("DBG-03")
@pytest.mark.parametrize(
    ("status", "state"),
    [
        (TypeStatus(), "NOT SENT"),
        (TypeStatus(complete=True), "NOT SENT"),
        (TypeStatus(complete=True, acked_version="v"), "SYNCED"),
        (TypeStatus("n1", "", "v"), "STALE"),
        (TypeStatus("n1", "n1", "v", "v", True), "SYNCED"),
        (TypeStatus("n1", "n1", "v", "v", True, {"x": "why"}), "ERROR"),
    ],
)
def test_states(status: TypeStatus, state: str) -> None:
    assert status.state == state
