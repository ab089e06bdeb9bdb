"""Plain values become typed ones; everything wrong is said, with its path."""

from typing import Any

import pytest

from mizzen.api import vocabulary
from mizzen.api.destination_rule import HTTPSettings, LoadBalancerSettings, OutlierDetection
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Duration
from mizzen.api.reader import Report, child, closest, key_text, name_of, reader, shown
from mizzen.api.virtual_service import HTTPRoute


def read(kind: Any, value: object, **options: Any) -> tuple[Any, list[tuple[str, str]]]:
    report = Report(**options)
    return reader(kind)(value, "x", report), [(p.path, p.message) for p in report.problems]


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (int, 5, 5),
        (int, 5.0, 5),
        (float, 1, 1.0),
        (str, "a", "a"),
        (bool, True, True),
        (Duration, "1.5s", Duration(1_500_000_000)),
        (Duration, "1h30m", Duration(5_400_000_000_000)),
        (tuple[str, ...], ["a", "b"], ("a", "b")),
        (dict[str, int], {80: 1}, {"80": 1}),
        (int | str | None, "http", "http"),
    ],
)
def test_good_values(kind: Any, value: object, result: object) -> None:
    assert read(kind, value) == (result, [])


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (int, "5", "whole number"),
        (int, True, "whole number"),
        (int, 5.5, "whole number"),
        (int, 2**40, "32 bits"),
        (int, float("nan"), "whole number"),
        (float, float("inf"), "finite"),
        (float, 10**400, "finite"),
        (str, 5, "put it in quotes"),
        (str, ["a"], "must be text, not a list"),
        (bool, "yes", "true or false"),
        (Duration, 5, "must be a duration"),
        (Duration, "soon", "is not a duration"),
        (Duration, "9" * 60 + "h", "ten thousand years"),
        (Duration, "1s" * 100, "ten thousand years"),
        (tuple[str, ...], "a", "must be a list"),
        (tuple[str, ...], [None], "may not be null"),
        (dict[str, str], ["a"], "must be a map"),
        (dict[str, str], {"a": None}, "may not be null"),
        (int | str | None, [], "may not be a list"),
        (HTTPRoute, "a", "must be a map"),
    ],
)
def test_bad_values_are_problems(kind: Any, value: object, message: str) -> None:
    _, problems = read(kind, value)
    assert len(problems) == 1
    assert message in problems[0][1]


def test_all_problems_at_once_and_the_rest_is_read() -> None:
    route, problems = read(HTTPRoute, {"timeout": 3, "match": [{"uri": {"exact": 1}}, {"port": "x"}], "name": "ok"})
    assert route.name == "ok"
    assert [path for path, _ in problems] == ["x.timeout", "x.match[0].uri.exact", "x.match[1].port"]


def test_null_is_unset() -> None:
    assert read(HTTPRoute, {"timeout": None}) == (HTTPRoute(), [])


@pytest.mark.row("CM-03")
def test_enums_and_oneofs() -> None:
    _, problems = read(LoadBalancerSettings, {"simple": "round_robin"})
    assert problems[0][1].endswith("did you mean ROUND_ROBIN?")
    _, problems = read(LoadBalancerSettings, {"simple": "RANDOM", "consistentHash": {"useSourceIp": True}})
    assert problems == [("x", "only one of simple, consistentHash may be set")]


def test_numbers_that_are_unsigned_in_istios_api() -> None:
    assert read(OutlierDetection, {"consecutive5xxErrors": 0})[1] == []
    assert read(OutlierDetection, {"consecutive5xxErrors": -1})[1] == [
        ("x.consecutive5xxErrors", "must be 0 or more, not -1")
    ]
    assert read(HTTPSettings, {"maxRetries": -1})[1] == [], "signed there; a validator has the word"


def test_every_name_of_the_vocabulary_is_a_field() -> None:
    for table in (vocabulary.ENUMS, vocabulary.UNSIGNED, vocabulary.NOT_EMPTY):
        for kind, names in table.items():
            assert set(names) <= set(kind.__struct_fields__), kind


def test_unknown_fields_are_refused_with_the_likely_name() -> None:
    _, problems = read(HTTPRoute, {"timeouts": "3s"})
    assert problems == [("x.timeouts", "unknown field 'timeouts'; did you mean timeout?")]
    _, problems = read(HTTPRoute, {"cors_policy": {}})
    assert problems[0][1].endswith("did you mean corsPolicy?")
    assert read(HTTPRoute, {"timeouts": "3s"}, unknown="ignore")[1] == []


def test_fields_of_the_past() -> None:
    report = Report()
    reader(HTTPRoute)({"websocketUpgrade": True, "mirror_percent": 5}, "x", report)
    assert [(p.path, p.fatal) for p in report.problems] == [("x.websocketUpgrade", False)]


def test_lenient_reading_takes_snake_case_and_text() -> None:
    mesh, problems = read(
        MeshConfig, {"trust_domain": "td", "proxyListenPort": "15001", "enableTracing": "true"}, lenient=True
    )
    assert problems == []
    assert (mesh.trust_domain, mesh.proxy_listen_port, mesh.enable_tracing) == ("td", 15001, True)


def test_types_without_reader_are_our_own_mistake() -> None:
    with pytest.raises(TypeError):
        reader(complex)


def test_words() -> None:
    assert child("a", "b") == "a.b"
    assert child("", "b") == "b"
    assert child("a", "b.c/d") == 'a["b.c/d"]'
    assert key_text(True) == "true"
    assert name_of({}) == "a map"
    assert name_of(None) == "nothing"
    assert name_of(object()) == "object"
    assert len(shown("x" * 500)) == 60
    assert closest("zzz", ("abc",)) == ""
