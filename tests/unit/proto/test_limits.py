"""Each kind of rule, as protoc-gen-validate reads it."""

from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import UInt32Value
from validate import validate_pb2

from mizzen.proto.limits import check_of


def judged(value: Any, **rule: Any) -> bool:
    """Whether ``value`` passes."""
    check = check_of(validate_pb2.FieldRules(**rule), UInt32Value.DESCRIPTOR.fields[0])
    assert check is not None
    return not list(check(value))


@pytest.mark.parametrize(("good", "bad", "rule"), [
    (200, 199, {"uint32": {"gte": 200, "lt": 600}}),
    (599, 600, {"uint32": {"gte": 200, "lt": 600}}),
    (UInt32Value(value=1), UInt32Value(value=0), {"uint32": {"gt": 0}}),
    (0, 5, {"uint32": {"gt": 9, "ignore_empty": True}}),
    (1.0, 1.5, {"double": {"lte": 1.0}}),
    (2, 3, {"int64": {"in": [1, 2]}}),
    (1, 0, {"uint64": {"not_in": [0]}}),
    ("x", "", {"string": {"min_len": 1}}),
    ("ab", "abc", {"string": {"max_bytes": 2}}),
    ("a", "\u00e9\u00e9", {"string": {"max_bytes": 3}}),
    ("/x", "x", {"string": {"prefix": "/"}}),
    ("a1", "b1", {"string": {"pattern": "^a[0-9]$"}}),
    ("x-a", "x a", {"string": {"well_known_regex": "HTTP_HEADER_NAME"}}),
    ("x a", "x\ra", {"string": {"well_known_regex": "HTTP_HEADER_NAME", "strict": False}}),
    ("a\tb", "a\x00b", {"string": {"well_known_regex": "HTTP_HEADER_VALUE"}}),
    ("::1", "one", {"string": {"ip": True}}),
    (b"x", b"", {"bytes": {"min_len": 1}}),
    ([1], [], {"repeated": {"min_items": 1}}),
    ([1, 2], [1, 1], {"repeated": {"unique": True}}),
    (["a"], ["a", ""], {"repeated": {"items": {"string": {"min_len": 1}}}}),
    (Duration(seconds=1), Duration(), {"duration": {"gt": {}}}),
    (Packed(type_url="a"), Packed(type_url="b"), {"any": {"in": ["a"]}}),
])  # fmt: skip
def test_a_value_inside_and_one_outside_the_limit(good: Any, bad: Any, rule: dict[str, Any]) -> None:
    assert judged(good, **rule)
    assert not judged(bad, **rule)


def test_an_empty_rule_asks_nothing() -> None:
    assert check_of(validate_pb2.FieldRules(), UInt32Value.DESCRIPTOR.fields[0]) is None
    assert check_of(validate_pb2.FieldRules(string={}), UInt32Value.DESCRIPTOR.fields[0]) is None
