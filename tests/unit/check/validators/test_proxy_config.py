"""ProxyConfig objects."""

from tests.unit.check.judging import errors


def test_concurrency() -> None:
    assert errors("ProxyConfig", {"concurrency": 2}) == []
    assert errors("ProxyConfig", {"concurrency": -1}) == ["spec.concurrency"]
