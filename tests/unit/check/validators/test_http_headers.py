"""Header operations."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, route


@pytest.mark.parametrize(("headers", "wrong"), [
    ({"request": {"set": {"x": "y"}, "add": {"x": "%START_TIME%"}, "remove": ["x"]}}, []),
    ({"request": {"set": {":authority": "b"}}}, []),
    ({"request": {"set": {"host": "b"}, "add": {":authority": "c"}}}, ["headers.request"]),
    ({"response": {"set": {"host": "b"}}}, ["headers.response.set"]),
    ({"request": {"remove": ["host"]}}, ["headers.request.remove"]),
    ({"request": {"set": {":path": "b"}}}, ["headers.request.set"]),
    ({"request": {"set": {"": "b"}}}, ["headers.request.set"]),
    ({"request": {"set": {"x": "5%"}}}, ["headers.request.set.x"]),
    ({"request": {"set": {"x": "5%%"}}}, []),
    ({"request": {"set": {"x": "%REQ(a?b):3%-%PER_REQUEST_STATE(a)%"}}, "response": {"add": {"x": "%UPSTREAM_HOST%"}}}, []),
    ({"request": {"set": {"x": "%NO_SUCH_OPERATOR%"}}}, ["headers.request.set.x"]),
    ({"response": {"add": {"x": "%REQ()%"}}}, ["headers.response.add.x"]),
    ({"request": {"set": {"x": "%REQ_WITHOUT_QUERY(:path)%"}}}, ["headers.request.set.x"]),
    ({"request": {"set": {"x": "a\nb"}}}, ["headers.request.set.x"]),
    ({"response": {"add": {"x": "y" * 16384}}}, []),
    ({"response": {"add": {"x": "y" * 16385}}}, ["headers.response.add.x"]),
    ({"response": {"remove": ["x" * 16385]}}, ["headers.response.remove"]),
])  # fmt: skip
def test_operations(headers: dict[str, Any], wrong: list[str]) -> None:
    assert errors("VirtualService", route(headers=headers)) == [f"spec.http[0].{w}" for w in wrong]


def test_the_host_is_rewritten_once() -> None:
    spec = route(headers={"request": {"set": {"Host": "b"}}}, rewrite={"authority": "c"})
    assert errors("VirtualService", spec) == ["spec.http[0].rewrite.authority"]
