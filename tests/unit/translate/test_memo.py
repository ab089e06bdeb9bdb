"""A result counts while its inputs are the same objects."""

from __future__ import annotations

from mizzen.translate.memo import Memo


def test_made_again_only_for_another_input_or_key() -> None:
    memo, made = Memo(), []

    def make() -> int:
        made.append(1)
        return len(made)

    one, other = object(), object()
    assert [memo.get("k", (one,), make), memo.get("k", (one,), make)] == [1, 1]
    assert memo.get("k", (other,), make) == 2
    assert memo.get("k", (one,), make) == 3, "only the newest is kept"
    assert memo.get("k", (one, other), make) == 4
    assert memo.get("l", (one,), make) == 5


def test_equal_is_not_the_same() -> None:
    memo = Memo()
    assert memo.get("k", ([],), lambda: "first") == "first"
    assert memo.get("k", ([],), lambda: "second") == "second"


def test_what_nobody_asks_for_is_forgotten_and_what_is_used_stays() -> None:
    memo, inputs = Memo(), (object(),)
    memo.get("idle", inputs, lambda: 0)
    for _ in range(100):
        memo.turn()
        assert memo.get("busy", inputs, lambda: 1) == 1
    assert memo.size == 1
    assert memo.get("busy", inputs, lambda: 2) == 1
    assert memo.get("idle", inputs, lambda: 3) == 3


def test_a_few_snapshots_without_a_question_lose_nothing() -> None:
    memo, inputs = Memo(), (object(),)
    memo.get("k", inputs, lambda: 0)
    for _ in range(15):
        memo.turn()
    assert memo.get("k", inputs, lambda: 1) == 0
