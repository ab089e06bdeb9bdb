import base64
import json
from pathlib import Path

import jwt
import pytest

from tests.conformance.material import Material
from tests.conformance.upstream import fixture, is_upstream, signed, translated
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
    ours = translated(theirs)
    assert (is_upstream(theirs), unknown(ours)) == (True, [])
    (entry,) = ours["calls"]
    assert entry["call"]["url"] == "http://b.echo.svc.cluster.local:80/p"
    assert entry["expect"] == {"status": 200, "service": "b", "saw": {"X": "1"}, "saw_not": ["Y"]}


def test_other_protocols() -> None:
    tcp = translated(case({"port": {"name": "tcp-server"}}, {"error": True}))
    assert tcp["calls"][0]["call"]["greeted"] is True
    rpc = translated(case({"port": {"name": "grpc"}}, {"forbidden": "GRPC"}))
    assert rpc["calls"][0]["expect"] == {"grpc": 7}
    dns = translated(
        case({"scheme": "dns", "address": "n?&protocol=tcp&server=127.0.0.1"}, {"dns_answers": ["1.1.1.1"]})
    )
    assert dns["calls"][0]["call"] == {"from": "a.echo", "dns": "n", "proto": "tcp", "server": "127.0.0.1"}


def test_the_machine_calls_from_the_pod_that_stands_for_it() -> None:
    ours = translated(case({"from": {**END, "app": "vm", "kind": "vm"}, "port": {"name": "http"}}, {"ok": True}))
    assert ours["calls"][0]["call"]["from"] == "vm-machine.echo"


def test_the_fixture_has_what_the_cases_name(tmp_path: Path) -> None:
    made = fixture(tmp_path, "", "")
    services = {
        (d["metadata"]["namespace"], d["metadata"]["name"]): d for d in made.documents if d["kind"] == "Service"
    }
    pods = {d["metadata"]["name"]: d["spec"]["template"] for d in made.documents if d["kind"] == "Deployment"}
    assert services["echo", "vm"]["spec"]["selector"] != pods["vm-machine"]["metadata"]["labels"]
    (entry,) = made.late
    assert services["echo", "vm"]["spec"]["selector"].items() <= entry["spec"]["labels"].items()
    assert "TPROXY" in pods["tproxy"]["metadata"]["annotations"].values()


TOKEN = ".".join(
    base64.urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).decode().rstrip("=")
    for part in ({"alg": "RS256", "kid": "theirs"}, {"iss": "test-issuer", "sub": "jo", "exp": 4715782722})
)
TOKEN += "." + "s" * 80
KEYS = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: ra}
spec:
  jwtRules:
  - {issuer: test-issuer, jwks: ''}
  - {issuer: other, jwksUri: 'http://jwt-server.servers.svc.cluster.local:8000/jwks'}
  - {issuer: third, jwksUri: 'http://elsewhere/jwks'}
"""


def test_their_tokens_are_made_anew_with_our_key(tmp_path: Path) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    call = {"port": {"name": "http"}, "http": {"path": f"/?t={TOKEN}", "headers": bearer}}
    ours = translated(case(call, {"request_headers": bearer}, text=KEYS))
    rules = ours["config"][0]["spec"]["jwtRules"]
    assert rules[0]["jwks"] == "${jwks:k1}"
    assert [rule.get("jwksUri") for rule in rules[1:]] == ["${jwks_uri:k1}", "http://elsewhere/jwks"]
    material = Material(tmp_path, lambda _name: "10.0.0.1", lambda: "http://documents")
    (entry,) = material.fill(ours["calls"])
    told = entry["call"]["headers"]["Authorization"]
    assert entry["expect"]["saw"]["Authorization"] == told
    token = told.removeprefix("Bearer ")
    assert entry["call"]["url"].endswith(f"t={token}")
    assert token.split(".")[1] == TOKEN.split(".")[1]
    assert token.split(".")[2] != TOKEN.split(".")[2]
    decoded = jwt.PyJWK(json.loads(material.fill("${jwks:k1}"))["keys"][0]).key
    assert jwt.decode(token, decoded, algorithms=["RS256"])["sub"] == "jo"


@pytest.mark.parametrize("text", ["Bearer abc", "www.example-of-a-host.com.and-more-of-the-same", f"x{TOKEN[1:]}"])
def test_what_is_no_token_stays(text: str) -> None:
    assert signed({"a": [text]}) == {"a": [text]}


def test_principals_lose_the_scheme_that_the_data_gave_them() -> None:
    policy = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p}
spec: {rules: [{from: [{source: {principals: ["spiffe://cluster.local/ns/echo/sa/a", "*/sa/b"]}}]}]}
"""
    ours = translated(case({"port": {"name": "http"}}, {"ok": True}, text=policy))
    (rule,) = ours["config"][0]["spec"]["rules"]
    assert rule["from"][0]["source"]["principals"] == ["cluster.local/ns/echo/sa/a", "*/sa/b"]


def test_a_check_that_is_not_known_stays_and_skips_the_case() -> None:
    ours = translated(case({"port": {"name": "http"}}, {"mood": "good"}))
    assert unknown(ours) == ["calls[0].expect.mood"]
