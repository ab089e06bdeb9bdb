"""JSON patches: applied to the old document they give the new one, and they are no larger than need be."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.inject import InjectSettings, diff
from tests.unit.inject.pods import pod, run

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
NAMES = st.sampled_from(["a", "b", "c", "a/b", "m~n", "", "0"])
NAMED = st.fixed_dictionaries({"name": NAMES}, optional={"value": SCALARS})
JSON = st.recursive(
    SCALARS,
    lambda below: st.lists(below | NAMED, max_size=5) | st.dictionaries(NAMES, below, max_size=4),
    max_leaves=20,
)


def apply(document: Any, patch: list[dict[str, Any]]) -> Any:
    """RFC 6902, section 4, for the three operations that are used."""
    top = {"": copy.deepcopy(document)}
    for step in patch:
        words = [w.replace("~1", "/").replace("~0", "~") for w in step["path"].split("/")]
        where: Any = top
        for word in words[:-1]:
            where = where[int(word) if isinstance(where, list) else word]
        last = int(words[-1]) if isinstance(where, list) else words[-1]
        if step["op"] != "add":
            assert last in where if isinstance(where, dict) else last < len(where), "the target must exist"
        if step["op"] == "remove":
            del where[last]
        elif step["op"] == "add" and isinstance(where, list):
            assert last <= len(where)
            where.insert(last, step["value"])
        else:
            where[last] = step["value"]
    return top[""]


def text(document: Any) -> str:
    return json.dumps(document, sort_keys=True)


@given(old=JSON, new=JSON)
@settings(max_examples=600, deadline=None)
def test_the_patch_makes_the_old_document_into_the_new_one(old: Any, new: Any) -> None:
    patch = diff(old, new)
    assert text(apply(old, patch)) == text(new)
    assert (patch == []) == (text(old) == text(new))


@given(old=JSON)
@settings(max_examples=100, deadline=None)
def test_equal_documents_need_no_patch(old: Any) -> None:
    assert diff(old, copy.deepcopy(old)) == []


def test_numbers_and_booleans_differ_as_in_json() -> None:
    assert diff({"a": 1}, {"a": True}) == [{"op": "replace", "path": "/a", "value": True}]
    assert diff([False], [0]) == [{"op": "replace", "path": "/0", "value": 0}]


def test_a_container_before_the_users_own_is_one_addition_and_the_own_one_is_changed_in_place() -> None:
    old = {"containers": [{"name": "web", "image": "a"}]}
    new = {"containers": [{"name": "proxy"}, {"name": "web", "image": "b"}]}
    assert diff(old, new) == [
        {"op": "add", "path": "/containers/0", "value": {"name": "proxy"}},
        {"op": "replace", "path": "/containers/1/image", "value": "b"},
    ]


def test_long_lists_are_not_aligned() -> None:
    """Nor is time lost on them: 2,000 items against 2,000 others would be four million comparisons."""
    old = [{"name": str(n)} for n in range(2000)]
    assert diff(old, copy.deepcopy(old)) == []
    assert diff(old, old[1:]) == [{"op": "replace", "path": "", "value": old[1:]}]
    assert diff(old, [*old[:-1], {"name": "x"}]) == [{"op": "replace", "path": "", "value": [*old[:-1], {"name": "x"}]}]


@pytest.mark.row("IJ-10")
def test_the_patch_of_an_injected_pod_touches_nothing_that_stays() -> None:
    old = pod(volumes=[{"name": "mine", "emptyDir": {}}])
    new = run(old, InjectSettings())
    patch = diff(old, new)
    assert apply(old, patch) == new
    assert {step["op"] for step in patch} == {"add"}
    assert "/spec/containers/1" in {step["path"] for step in patch}
    assert not any(step["path"].startswith("/spec/containers/0") for step in patch)
