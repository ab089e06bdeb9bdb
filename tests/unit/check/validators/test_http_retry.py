"""Retries."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, route


@pytest.mark.parametrize(("retries", "wrong"), [
    ({}, []),
    ({"attempts": 3, "perTryTimeout": "2s", "retryOn": "5xx,connect-failure,503"}, []),
    ({"attempts": -1}, ["attempts"]),
    ({"attempts": 0, "perTryTimeout": "2s", "retryOn": "5xx"}, ["perTryTimeout", "retryOn"]),
    ({"attempts": 3, "perTryTimeout": "1us", "backoff": "1us"}, ["perTryTimeout", "backoff"]),
    ({"attempts": 3, "retryOn": "5xx, reset"}, ["retryOn"]),
    ({"attempts": 3, "retryOn": "sometimes"}, ["retryOn"]),
    ({"attempts": 3, "retryOn": "999"}, ["retryOn"]),
])  # fmt: skip
def test_retries(retries: dict[str, Any], wrong: list[str]) -> None:
    assert errors("VirtualService", route(retries=retries)) == [f"spec.http[0].retries.{w}" for w in wrong]
