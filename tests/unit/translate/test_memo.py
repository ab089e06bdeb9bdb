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
