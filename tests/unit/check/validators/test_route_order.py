from __future__ import annotations

import time
from typing import Any

import pytest

from mizzen.model.finding import Level
from tests.unit.check.judging import findings

TO = [{"destination": {"host": "b"}}]


def told(*rules: dict[str, Any], section: str = "http") -> list[tuple[str, str]]:
    """(code, field) of what the rules of one list draw."""
    spec = {"hosts": ["a"], section: [{"route": TO, **rule} for rule in rules]}
    return [(finding.code, finding.field) for finding in findings("VirtualService", spec)]


def by(prefix: str, **more: Any) -> dict[str, Any]:
    return {"uri": {"prefix": prefix}, **more}


@pytest.mark.row("VS-52", "IM-18")
def test_rules_behind_one_without_match() -> None:
    assert told({}, {}) == [("IST0130", "spec.http[1]")]
    assert told({}, {"match": [by("/a"), by("/b")]}) == [("IST0130", "spec.http[1]")]
    assert told({"match": [by("/a")]}, {}) == []
    sni = {"match": [{"sniHosts": ["a"]}]}
    assert told(sni, sni, section="tls") == [("IST0131", "spec.tls[1].match[0]"), ("IST0130", "spec.tls[1]")]
    assert told({}, {}, section="tcp") == [("IST0130", "spec.tcp[1]")]


@pytest.mark.row("VS-52", "IM-18")
def test_the_same_match_twice() -> None:
    one = {"match": [by("/a")]}
    assert told(one, one) == [("IST0131", "spec.http[1].match[0]"), ("IST0130", "spec.http[1]")]
    named = {"match": [by("/a", name="other"), by("/b")]}
    assert told(one, named) == [("IST0131", "spec.http[1].match[0]")]
    headers = {"a": {"exact": "1"}, "b": {"prefix": "2"}}
    turned = dict(reversed(headers.items()))
    twice = [{"match": [{"headers": each}, by("/x", port=n)]} for n, each in ((1, headers), (2, turned))]
    assert told(*twice) == [("IST0131", "spec.http[1].match[0]")]


@pytest.mark.row("IM-18")
@pytest.mark.parametrize(("wide", "narrow", "covered"), [
    (by("/a"), by("/ab"), True),
    (by("/ab"), by("/a"), False),
    (by("/a"), {"uri": {"exact": "/ab"}}, False),
    (by("/a"), by("/ab", method={"exact": "GET"}), True),
    (by("/a"), by("/ab", method={"exact": "POST"}), False),
    (by("/a", method={"exact": "POST"}), by("/ab"), False),
    (by("/a", method={"exact": "POST"}), by("/ab", method={"regex": "P.*"}), True),
    (by("/a", port=80), by("/ab"), False),
    (by("/a", port=80), by("/ab", port=80), True),
    (by("/a", headers={"h": {"exact": "xy"}}), by("/ab", headers={"h": {"exact": "x"}}), True),
    (by("/a", headers={"h": {"exact": "x"}}), by("/ab", headers={"h": {"exact": "xy"}}), False),
    (by("/a", headers={"h": {"exact": "x"}}), by("/ab"), False),
    (by("/a", queryParams={"q": {"exact": "x"}}), by("/ab", queryParams={"q": {"prefix": "x"}}), False),
    (by("/a", authority={"prefix": "x"}), by("/ab"), True),
    (by("/a", sourceNamespace="n"), by("/ab"), True),
    (by("/a", authority={"exact": "x"}), by("/ab", authority={"exact": "y"}), False),
    (by("/a", headers={"h": {"exact": "xy"}}), by("/a", headers={"h": {"exact": "x"}}), False),
])  # fmt: skip
def test_a_wider_prefix_before(wide: dict[str, Any], narrow: dict[str, Any], covered: bool) -> None:
    expected = [("IST0131", "spec.http[1].match[0]")] if covered else []
    assert told({"match": [wide]}, {"match": [narrow]}) == expected


@pytest.mark.row("IM-18")
def test_levels_and_names() -> None:
    spec = {
        "hosts": ["a"],
        "http": [{"name": "first", "match": [by("/a")], "route": TO}, {"match": [by("/a")], "route": TO}],
    }
    match, rule = findings("VirtualService", spec)
    assert (match.level, rule.level) == (Level.INFO, Level.WARNING)
    assert match.message == 'match #0 of rule #1 is never used: rule "first" matches that before'


@pytest.mark.row("VS-52")
def test_a_rule_behind_one_whose_match_takes_everything() -> None:
    assert told({"match": [by("/")]}, {"match": [{"uri": {"exact": "/x"}}]}) == [("MZ0020", "spec.http[1]")]
    assert told({"match": [{"uri": {"regex": ".*"}}]}, {"match": [by("/x")]}) == [("MZ0020", "spec.http[1]")]
    assert told({"match": [by("/", port=80)]}, {"match": [{"uri": {"exact": "/x"}}]}) == []


@pytest.mark.parametrize(
    "routes",
    [
        [by("/a" + "b" * (i % 2), headers={"h": {"exact": f"v{i}"}}) for i in range(6000)],
        [by("/a" + "b" * (i % 700), headers={"h": {"exact": f"v{i}"}}) for i in range(3000)],
        [by("/" + "a" * i) for i in range(2000)],
    ],
    ids=["two prefixes", "many prefixes", "each longer"],
)
def test_many_rules_take_no_squared_time(routes: list[dict[str, Any]]) -> None:
    begin = time.process_time()
    told(*({"match": [route]} for route in routes))
    assert time.process_time() - begin < 5
