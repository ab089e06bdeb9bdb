"""Hosts of an Ingress."""

from typing import Any

import pytest

from tests.unit.check.judging import errors


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"rules": [{"host": "shop.example.com"}, {"host": "*.example.com"}, {}]}, []),
        ({"rules": [{"host": "a.com\n"}, {"host": "a b"}]}, ["spec.rules[0].host", "spec.rules[1].host"]),
        ({"rules": [{"host": "10.0.0.1"}]}, ["spec.rules[0].host"]),
        ({"tls": [{"hosts": ["a.com", "*"], "secretName": "c"}]}, []),
        ({"tls": [{}, {"hosts": ["a.com", "b\nc"]}]}, ["spec.tls[1].hosts[1]"]),
    ],
)
def test_hosts(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("Ingress", spec) == wrong
