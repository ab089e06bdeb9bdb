from __future__ import annotations

from mizzen.analyze.labels import LabelIndex


def test_finding_by_labels() -> None:
    things = [({"a": "1", "b": "1"}, "x"), ({"a": "1"}, "y"), ({"a": "2"}, "z"), ({}, "none")]
    index = LabelIndex(things)
    assert index.find({}) == ["x", "y", "z", "none"]
    assert index.find({"a": "1"}) == index.find({"a": "1"}) == ["x", "y"]
    assert index.find({"b": "1", "a": "1"}) == ["x"]
    assert index.find({"a": "1", "c": "1"}) == index.find({"a": "3"}) == []
