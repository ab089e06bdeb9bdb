from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conformance.lanes import opened, shared

CASES: list[dict[str, Any]] = [{"id": str(number)} for number in range(8)]


def test_every_case_is_done_once_by_whoever_is_free_and_told_as_it_comes() -> None:
    both = threading.Barrier(2, timeout=5)
    told: list[str] = []

    def hand(name: str) -> Any:
        first = [True]

        def work(case: dict[str, Any]) -> str:
            if first:
                first.clear()
                both.wait()  # passes only when both hands work at the same time
            return f"{name}{case['id']}"

        return work

    found = shared(CASES, [hand("a"), hand("b")], told.append)
    assert [answer[1:] for answer in found] == [case["id"] for case in CASES]
    assert {answer[0] for answer in found} == {"a", "b"}
    assert sorted(told) == sorted(found)


def test_what_a_hand_raises_reaches_the_caller() -> None:
    def broken(_case: dict[str, Any]) -> str:
        raise LookupError("no such pod")

    with pytest.raises(LookupError, match="no such pod"):
        shared(CASES, [broken, broken], lambda _: None)


class World:
    def __init__(self, closed: list[str], name: str) -> None:
        self._closed, self.name = closed, name

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.append(self.name)


def test_meshes_that_started_are_closed_also_when_another_does_not_start() -> None:
    closed: list[str] = []

    def start(name: str) -> Any:
        if name == "bad":
            raise OSError("no room")
        return World(closed, name), None

    with pytest.raises(OSError, match="no room"), ExitStack() as stack:
        opened(stack, ["good", "bad"], start)
    assert closed == ["good"]
