from tests.conformance.upstream import is_upstream, translated
from tests.conformance.vocabulary import unknown

END = {"app": "a", "namespace": "echo", "kind": "standard"}


def case(call: dict[str, object], *expect: dict[str, object], text: str = "") -> dict[str, object]:
    entry = {"call": {"from": END, "to": {**END, "app": "b"}, **call}, "expect": list(expect)}
    return {"id": "x", "config_namespace": "echo", "config_yaml": text, "calls": [entry]}


def test_http_is_said_in_our_words() -> None:
    theirs = case(
        {"port": {"name": "http"}, "http": {"path": "/p", "headers": {"A": "1"}}},
        {"ok": True},
        {"reached": "all target clusters"},
        {"request_headers": {"X": "1", "Y": ""}},
    )
    ours, reason = translated(theirs)
    assert (is_upstream(theirs), reason, unknown(ours)) == (True, "", [])
    (entry,) = ours["calls"]
    assert entry["call"]["url"] == "http://b.echo.svc.cluster.local:80/p"
    assert entry["expect"] == {"status": 200, "service": "b", "saw": {"X": "1"}, "saw_not": ["Y"]}


def test_other_protocols() -> None:
    tcp, _ = translated(case({"port": {"name": "tcp-server"}}, {"error": True}))
    assert tcp["calls"][0]["call"]["greeted"] is True
    rpc, _ = translated(case({"port": {"name": "grpc"}}, {"forbidden": "GRPC"}))
    assert rpc["calls"][0]["expect"] == {"grpc": 7}
    dns, _ = translated(
        case({"scheme": "dns", "address": "n?&protocol=tcp&server=127.0.0.1"}, {"dns_answers": ["1.1.1.1"]})
    )
    assert dns["calls"][0]["call"] == {"from": "a.echo", "dns": "n", "proto": "tcp", "server": "127.0.0.1"}


def test_what_cannot_be_run_says_why() -> None:
    assert translated(case({"from": {**END, "kind": "vm"}}, {"ok": True}))[1]
    assert translated(case({}, {"ok": True}, text="jwks: ''"))[1]


def test_a_check_that_is_not_known_stays_and_skips_the_case() -> None:
    ours, _ = translated(case({"port": {"name": "http"}}, {"mood": "good"}))
    assert unknown(ours) == ["calls[0].expect.mood"]
