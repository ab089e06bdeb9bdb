"""A judge that cannot say no is worthless: a wrong expectation of every kind is a complaint, the right one is not."""

import json
from typing import Any

import pytest

from tests.conformance.judge import Seen, flags, judge
from tests.conformance.vocabulary import EXPECT

Json = dict[str, Any]


def echo(version: str = "v1", pod: str = "web-1", **more: Any) -> str:
    document = {
        "service": "web",
        "version": version,
        "pod": pod,
        "method": "GET",
        "path": "/a?x=1",
        "host": "web:8000",
        "headers": {"x-a": "1"},
        "protocol": "HTTP/1.1",
        "sni": "web.test",
        "alpn": "h2",
        "tls": False,
        "peer": "spiffe://cluster.local/ns/shop/sa/client",
        "local_port": 8000,
    }
    return json.dumps({**document, **more})


def result(body: str = "", status: int = 200, ms: float = 50, **more: Any) -> Json:
    return {"status": status, "headers": {"x-r": "1", "location": "/new"}, "body": body or echo(), "ms": ms, **more}


FOUR = Seen(
    [result(echo("v1", "web-1")), result(echo("v1", "web-1")), result(echo("v2", "web-2")), result("busy", 503)],
    records=[{"service": s, "pod": p, "key": "k"} for s, p in (("web", "p1"), ("web", "p2"), ("cart", "p3"))],
    log=['[2026-01-01] "GET / HTTP/1.1" 503 UO,URX via_upstream', '[2026-01-01] "GET / HTTP/1.1" 200 - via_upstream'],
)
ONE = Seen(
    [result()], records=[{"service": "cart", "pod": "c1", "key": "k"}, {"service": "web", "pod": "w1", "key": "k"}]
)
BROKEN = Seen([{"error": "ConnectionResetError", "ms": 3}])
GRPC = Seen([{"grpc": 7, "status": 200, "headers": {}, "ms": 3}])
NAMES = Seen([{"dns": ["10.0.0.1", "10.0.0.2"], "ms": 1}])
LINE = Seen([{"tcp": "service=cart version=v1 pod=c1 local_port=9000 remote=1.1.1.1:1 hi\n", "ms": 1}], mutual=True)
OWN_TLS = Seen([result(echo(peer=""))], mutual=True)

CASES: list[tuple[str, Seen, Any, Any]] = [
    ("status", ONE, 200, 404),
    ("status", FOUR, [200, 503], 200),
    ("error", BROKEN, True, False),
    ("error", ONE, False, True),
    ("grpc", GRPC, 7, 0),
    ("error_or_status", BROKEN, [503], None),
    ("error_or_status", ONE, [200], [503]),
    ("some_status", FOUR, [503], [404]),
    ("some_status", FOUR, [200, 503], [200, 404]),
    ("status_share", FOUR, {"200": 75}, {"200": 50}),
    ("status_count", FOUR, {"503": 1}, {"503": 2}),
    ("version", ONE, "v1", "v2"),
    ("version", ONE, ["v1", "v2"], ["v3"]),
    ("version", FOUR, None, ["v1", "v2"]),
    ("service", ONE, "web", "cart"),
    ("service", LINE, "cart", "web"),
    ("share", FOUR, {"v1": 50, "v2": 25}, {"v1": 90, "v2": 10}),
    ("share", FOUR, {"web": 75}, {"cart": 75}),
    ("services_seen", ONE, ["web"], ["web", "cart"]),
    ("saw", ONE, {"X-A": "1"}, {"x-a": "2"}),
    ("saw", ONE, {"x-a": 1}, {"x-b": "1"}),
    ("saw_not", ONE, ["x-b"], ["x-a"]),
    ("saw_has_not", ONE, {"x-a": "2", "x-b": "1"}, {"x-a": "1"}),
    ("resp", ONE, {"x-r": "1"}, {"x-r": "2"}),
    ("resp_not", ONE, ["x-z"], ["x-r"]),
    ("path", ONE, "/a", "/b"),
    ("path", ONE, "/a?x=1", "/a?x=2"),
    ("host", ONE, "web:8000", "web"),
    ("method_seen", ONE, "GET", "POST"),
    ("protocol_seen", ONE, "http/1.1", "HTTP/2.0"),
    ("sni_seen", ONE, "web.test", "other.test"),
    ("body_has", ONE, "web-1", "nothing like it"),
    ("location", ONE, "/new", "/old"),
    ("min_ms", ONE, 50, 51),
    ("max_ms", ONE, 50, 49),
    ("attempts", FOUR, {"k": 3}, {"k": 2}),
    ("attempts", FOUR, None, {"other": 1}),
    ("attempt_pods_distinct", FOUR, True, False),
    ("same_pod", ONE, True, False),
    ("same_pod", FOUR, None, True),
    ("pods", FOUR, 2, 3),
    ("mtls", ONE, True, False),
    ("mtls", LINE, True, False),
    ("mtls", OWN_TLS, True, False),
    ("mtls", BROKEN, None, False),
    ("peer", ONE, "spiffe://cluster.local/ns/shop/sa/client", "spiffe://cluster.local/ns/shop/sa/other"),
    ("mirrored", ONE, {"cart": 100}, {"cart": 0}),
    ("mirrored", ONE, {"vault": 0}, {"vault": 100}),
    ("dns", NAMES, ["10.0.0.2", "10.0.0.1"], ["10.0.0.1"]),
    ("resp_flag", FOUR, "UO", "NR"),
    ("alpn_seen", ONE, "h2", "http/1.1"),
    ("server_tls", ONE, False, True),
    ("local_port", ONE, 8000, 8001),
    ("local_port", LINE, 9000, 9001),
]


@pytest.mark.parametrize(("word", "seen", "right", "wrong"), CASES)
def test_right_holds_and_wrong_is_a_complaint(word: str, seen: Seen, right: Any, wrong: Any) -> None:
    if right is not None:
        assert judge({word: right}, seen) == []
    if wrong is not None:
        (complaint,) = judge({word: wrong}, seen)
        assert complaint.startswith(f"{word}: expected {json.dumps(wrong)}, seen ")
        assert not complaint.endswith("seen ")


def test_every_word_of_the_vocabulary_is_tried_here() -> None:
    assert {word for word, *_ in CASES} == EXPECT - {"tol", "eventually"}


@pytest.mark.parametrize("word", sorted(EXPECT - {"tol", "eventually", "error", "error_or_status", "max_ms", "min_ms"}))
def test_nothing_holds_of_a_call_that_broke(word: str) -> None:
    wrong = next(wanted for name, _, _, wanted in CASES if name == word and wanted is not None)
    assert judge({word: wrong}, BROKEN) or wrong in (0, False) or word in ("mirrored", "grpc")


def test_all_keys_must_hold_and_an_unknown_one_does_not() -> None:
    assert len(judge({"status": 404, "version": "v9", "service": "web"}, ONE)) == 2
    assert judge({"colour": "red"}, ONE) == ['colour: expected "red", seen the judge does not know colour']


def test_no_calls_are_no_success() -> None:
    assert judge({}, Seen([])) == ["no call was made"]


def test_tolerance() -> None:
    assert judge({"share": {"v1": 60}, "tol": 11}, FOUR) == []
    assert judge({"share": {"v1": 60}, "tol": 9}, FOUR)


def test_flags_of_a_log_line() -> None:
    assert flags('[x] "GET / HTTP/1.1" 503 UO,URX via') == {"UO", "URX"}
    assert flags('[x] "- - -" 0 NR route') == {"NR"}
    assert flags('{"response_code":503,"response_flags":"UO,URX"}') == {"UO", "URX"}
    assert flags('{"response_code":503') == set()
    assert flags("nonsense") == set()
