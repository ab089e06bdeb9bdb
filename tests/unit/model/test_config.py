"""A change makes a new Config that shares the rest."""

from mizzen.api.meta import Object, ObjectMeta
from mizzen.model.config import Config


def obj(kind: str, name: str) -> Object:
    return Object(kind=kind, meta=ObjectMeta(name=name, namespace="n"), body=None)


def test_untouched_kinds_are_shared() -> None:
    first = Config().with_objects([obj("A", "a"), obj("B", "b")])
    second = first.with_objects([obj("A", "c")], remove=[("A", ("n", "a"))])
    assert second.of("B") is first.of("B")
    assert set(second.of("A")) == {("n", "c")}
    assert set(first.of("A")) == {("n", "a")}
    assert Config().of("A") == {}
