"""Durations, selectors and the order of age."""

import pytest

from mizzen.api.meta import Duration, LabelSelector, Object, ObjectMeta, WorkloadSelector


@pytest.mark.parametrize(
    ("text", "nanos"), [("0", 0), ("0s", 0), ("1.5s", 15 * 10**8), ("2h3m", 7380 * 10**9), ("5us", 5000), ("7ns", 7)]
)
def test_durations(text: str, nanos: int) -> None:
    duration = Duration.parse(text)
    assert duration == Duration(nanos)
    assert hash(duration) == hash(Duration(nanos))
    assert duration.seconds == nanos / 1e9


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "five"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        Duration.parse(text)


def test_duration_text() -> None:
    assert str(Duration(1_500_000_000)) == "1.5s"
    assert repr(Duration(0)) == "Duration(0.0s)"
    assert Duration(0) != "0s"


@pytest.mark.parametrize("kind", [LabelSelector, WorkloadSelector])
def test_all_labels_must_match(kind: type[LabelSelector]) -> None:
    selector = kind(match_labels={"a": "1", "b": "2"})
    assert selector.matches({"a": "1", "b": "2", "c": "3"})
    assert not selector.matches({"a": "1"})
    assert kind().matches({})


def test_the_older_object_comes_first_then_the_name() -> None:
    def obj(created: str, name: str) -> Object:
        return Object(kind="X", meta=ObjectMeta(name=name, namespace="n", creation_timestamp=created), body=None)

    old, new, twin = (
        obj("2024-01-01T00:00:00Z", "z"),
        obj("2024-01-02T00:00:00Z", "a"),
        obj("2024-01-02T00:00:00Z", "b"),
    )
    assert sorted([twin, new, old], key=lambda o: o.age_key) == [old, new, twin]
    assert (old.name, old.namespace) == ("z", "n")
