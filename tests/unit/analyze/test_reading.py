from __future__ import annotations

from mizzen.analyze import reading


def test_what_has_another_shape_is_not_there() -> None:
    raw = {"a": {"b": [{"c": 1}, 2], "t": "x"}, "n": 5, "f": True, "l": {"k": 1, "m": None}}
    assert reading.at(raw, "a", "t") == "x"
    assert reading.at(raw, "a", "t", "deeper") is None
    assert reading.block(raw, "a", "b") == {}
    assert reading.items(raw, "a") == ()
    assert reading.blocks(raw, "a", "b") == [{"c": 1}, {}]
    assert (reading.text(raw, "a", "t"), reading.text(raw, "n"), reading.text(raw, "f")) == ("x", "5", "")
    assert (reading.number(raw, "n"), reading.number(raw, "f"), reading.number(raw, "a")) == (5, 0, 0)
    assert reading.texts(raw, "l") == {"k": "1", "m": ""}
    assert reading.texts(None) == {}
