"""Rules that kinds share."""

from collections.abc import Callable
from typing import Any

import pytest

from mizzen.api.meta import Duration, LabelSelector, Object, ObjectMeta, TargetRef
from mizzen.check import rules
from mizzen.check.notes import Notes


def bad(rule: Callable[..., Any], *arguments: Any, **options: Any) -> int:
    notes = Notes(Object(kind="X", meta=ObjectMeta(name="a", namespace="n"), body=None))
    rule(notes, "p", *arguments, **options)
    return len(notes.findings)


@pytest.mark.parametrize("host", ["a", "a.b.c", "*", "*.a.com", "a.com.", "_x.y", "1.2.3.4"])
def test_hosts(host: str) -> None:
    assert bad(rules.wildcard_host, host) == 0


@pytest.mark.parametrize("host", ["", "a..b", "*a.com", "a.*.com", "-a", "a b", "x" * 64, "a!"])
def test_no_hosts(host: str) -> None:
    assert bad(rules.wildcard_host, host) == 1


def test_partial_wildcards_where_they_are_allowed() -> None:
    assert bad(rules.wildcard_host, "*-a.com", partial=True) == 0
    assert bad(rules.host_or_ip, "::1") == 0


@pytest.mark.parametrize(("rule", "good", "wrong"), [
    (rules.port, [1, 65535], [0, 65536, -1]),
    (rules.protocol, ["", "http", "GRPC-Web"], ["smtp"]),
    (rules.percent, [None, 0, 0.0001, 100], [-1, 0.00001, 100.1]),
    (rules.unix_path, ["unix:///tmp/x", "@x", "/" + "x" * 106], ["/" + "x" * 107, "unix:///" + "\u00e9" * 54]),
    (rules.regex, ["", ".*", "a" * 1024, r"\pL{20}"], ["[", "a" * 1025, "(?=a)", r"\pL{60}"]),
    (rules.header_name, ["x-a"], ["", "a b", "a:"]),
    (rules.duration, [None, Duration(1_000_000)], [Duration(0), Duration(999_999), Duration(1_000_001), Duration(-5)]),
    (rules.selector, [None, LabelSelector(match_labels={"a": "b"})], [LabelSelector(match_labels={"": "b"}), LabelSelector(match_labels={"a": "*"})]),
])  # fmt: skip
def test_values(rule: Callable[..., Any], good: list[Any], wrong: list[Any]) -> None:
    assert [value for value in good if bad(rule, value)] == []
    assert [value for value in wrong if not bad(rule, value)] == []


def test_zero_where_it_means_off() -> None:
    assert bad(rules.duration, Duration(0), zero=True) == 0


def test_addresses() -> None:
    assert rules.is_ip("::1")
    assert not rules.is_ip("a")
    assert rules.is_cidr("10.1.2.3/8")
    assert not rules.is_cidr("10.0.0.0/255.0.0.0")
    assert not rules.is_cidr("a/8")


def test_labels() -> None:
    assert bad(rules.labels, {"a.b/c": "x-1", "d": ""}) == 0
    assert bad(rules.labels, {"": "x"}) == 1
    assert bad(rules.labels, {"a b": "x y"}) == 2


@pytest.mark.row("CM-08")
@pytest.mark.parametrize(("values", "wrong"), [
    ((), 0), (("*",), 0), ((".", "other"), 0), (("*", "x"), 1), (("~",), 1), ((".", "n"), 1), (("A",), 1),
])  # fmt: skip
def test_export_to(values: tuple[str, ...], wrong: int) -> None:
    assert bad(rules.export_to, values) == wrong


def test_services_may_hide() -> None:
    assert bad(rules.export_to, ("~",), none=True) == 0
    assert bad(rules.unique, [1, 2, 1], "numbers") == 1


@pytest.mark.row("CM-07")
def test_target_refs() -> None:
    gateway = TargetRef(group="gateway.networking.k8s.io", kind="Gateway", name="g")
    selector = LabelSelector(match_labels={"a": "b"})
    assert bad(rules.target_refs, gateway, (), None) == 0
    assert bad(rules.target_refs, gateway, (), selector) == 1
    assert bad(rules.target_refs, None, (gateway,) * 17, None) == 1
    assert bad(rules.target_refs, TargetRef(group="x", kind="Y", name="z", namespace="w"), (), None) == 2
    assert bad(rules.target_refs, TargetRef(), (), None) == 2
