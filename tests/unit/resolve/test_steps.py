"""A step runs when an input is another object, and an equal result stays the same object."""

from mizzen.model.snapshot import Snapshot
from mizzen.resolve.steps import Run


def test_a_step_runs_again_only_for_other_inputs() -> None:
    calls: list[object] = []

    def note(value: object) -> tuple[object, ...]:
        calls.append(value)
        return (value,)

    one = object()
    first = Run(None)
    made = first.step("note", note, one)
    second = Run(Snapshot(steps=first.done))
    assert second.step("note", note, one) is made
    assert second.step("other", note, one) is not made
    Run(Snapshot(steps=first.done)).step("note", note, object())
    assert len(calls) == 3


def test_what_is_equal_stays_the_same_object() -> None:
    first = Run(None)
    kept, lost = ["a"], ["b"]
    made = first.step("make", lambda _: {"x": kept, "y": lost}, 1)
    again = Run(Snapshot(steps=first.done)).step("make", lambda _: {"x": ["a"], "y": ["c"]}, 2)
    assert again["x"] is made["x"]
    assert again["y"] == ["c"]
    assert Run(Snapshot(steps=first.done)).step("make", lambda _: {"x": ["a"], "y": ["b"]}, 3) is made
