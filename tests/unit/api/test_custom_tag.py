"""Which tags a proxy takes. Every verdict here is Envoy 1.40's own, tried with ``--mode validate``, or of having several kinds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mizzen.api import custom_tag
from mizzen.api.mesh_config import CustomTag


def problem(name: str, **tag: Any) -> tuple[str, str] | None:
    return custom_tag.problem(name, msgspec.convert(tag, CustomTag))


@pytest.mark.row("TM-10", "TR-09")
@pytest.mark.parametrize(
    "tag",
    [
        {"literal": {"value": "x"}},
        {"environment": {"name": "X"}},
        {"header": {"name": "x-user"}},
        {"header": {"name": ":path"}},
        {"formatter": {"value": "%REQ(a)%"}},
    ],
)
def test_taken(tag: dict[str, Any]) -> None:
    assert problem("a", **tag) is None
    assert problem("", **tag) == ("", "a tag needs a name")


@pytest.mark.row("TM-10", "TR-09")
@pytest.mark.parametrize(
    ("tag", "field", "why"),
    [
        ({}, "", "one of literal"),
        ({"literal": {"value": "x"}, "environment": {"name": "X"}}, "", "one of literal"),
        ({"literal": {}}, "literal.value", "a value"),
        ({"environment": {}}, "environment.name", "a name"),
        ({"header": {}}, "header.name", "a name"),
        ({"header": {"name": "a\nb"}}, "header.name", "no header name"),
        ({"formatter": {}}, "formatter.value", "a value"),
        ({"formatter": {"value": "%OOPS%"}}, "formatter.value", "OOPS is no operator"),
        ({"formatter": {"value": "%REQ_WITHOUT_QUERY(:PATH)%"}}, "formatter.value", "access logs only"),
    ],
)
def test_refused_with_the_reason(tag: dict[str, Any], field: str, why: str) -> None:
    found = problem("a", **tag)
    assert found is not None
    assert found[0] == field
    assert why in found[1]
