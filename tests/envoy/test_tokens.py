"""RequestAuthentication and CUSTOM policies as a real Envoy enforces them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2

from mizzen.api.match import StringMatch
from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import (
    AuthorizationPolicy,
    ClaimToHeader,
    From,
    JWTHeader,
    JWTRule,
    Operation,
    Provider,
    RequestAuthentication,
    Rule,
    Source,
    To,
)
from mizzen.api.virtual_service import HTTPMatchRequest
from mizzen.model.authorizer import Authorizer, HttpCheck
from mizzen.model.jwks import KeySource, RemoteKeySet
from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode, Policies
from mizzen.translate.filters import Direction
from mizzen.translate.hcm import http_connection_manager
from mizzen.translate.http.match import route_match
from tests.envoy.loopback import App, free_port, http_app
from tests.envoy.mesh import Lab, get, inbound_port, mesh_config, request, stranger_cluster

pytestmark = pytest.mark.envoy


class Issuer:
    def __init__(self, name: str) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        self.jwks = json.dumps({"keys": [{**public, "kid": name}]})

    def token(self, seconds: int = 600, kid: str = "", **claims: Any) -> str:
        body = {"iss": self.name, "sub": "u1", "exp": int(time.time()) + seconds, **claims}
        return pyjwt.encode(body, self._key, algorithm="ES256", headers={"kid": kid or self.name})


def tokens(*rules: JWTRule) -> tuple[Object, ...]:
    body = RequestAuthentication(jwt_rules=rules)
    return (Object(kind="RequestAuthentication", meta=ObjectMeta(name="t", namespace="bar"), body=body),)


def policy(action: str, rule: Rule, provider: str = "") -> tuple[Object, ...]:
    body = AuthorizationPolicy(rules=(rule,), action=action, provider=Provider(name=provider) if provider else None)
    return (Object(kind="AuthorizationPolicy", meta=ObjectMeta(name="p", namespace="bar"), body=body),)


class Server:
    def __init__(self, lab: Lab, app: App, policies: Policies, **more: Any) -> None:
        self._lab, self._app = lab, app
        self.envoy = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE), policies=policies, **more)

    def answer(self, path: str = "/", token: str = "", **headers: str) -> tuple[int, str]:
        """Status and body."""
        if token:
            headers["authorization"] = f"Bearer {token}"
        head, _, body = self._lab.call(self._app.port, request(path, **headers)).partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), body.decode()

    @property
    def last(self) -> dict[str, str]:
        return self._app.seen[-1]


@pytest.fixture
def app() -> Iterator[App]:
    with http_app() as found:
        yield found


@pytest.mark.row("RA-01", "RA-02", "RA-03", "RA-04", "RA-10")
def test_a_token_is_optional_but_a_bad_one_is_refused(lab: Lab, app: App) -> None:
    issuer, thief = Issuer("good"), Issuer("good")
    rule = JWTRule(issuer="good", jwks=issuer.jwks, audiences=("web",))
    server = Server(lab, app, Policies(request_authentications=tokens(rule)))
    assert server.answer()[0] == 200
    assert server.answer(token=issuer.token(aud="web"))[0] == 200
    assert "authorization" not in server.last, "the token goes no further"
    assert server.answer(token=issuer.token(-30, aud="web"))[0] == 200, "a minute of skew between clocks"
    assert server.answer(token=issuer.token(-120, aud="web")) == (401, "Jwt is expired")
    assert server.answer(token=issuer.token(aud="other")) == (403, "Audiences in Jwt are not allowed")
    assert server.answer(token=issuer.token(iss="else", aud="web")) == (401, "Jwt issuer is not configured")
    assert server.answer(token=thief.token(aud="web")) == (401, "Jwt verification fails")
    assert server.answer(token="no.token.here")[0] == 401
    unsigned = pyjwt.encode({"iss": "good", "sub": "u1", "aud": "web"}, None, algorithm="none")
    assert server.answer(token=unsigned)[0] == 401
    assert len(app.seen) == 3


@pytest.mark.row("AP-14", "AP-19", "RA-16")
def test_policies_see_who_the_token_names(lab: Lab, app: App) -> None:
    issuer = Issuer("good")
    allow = policy("ALLOW", Rule(from_=(From(source=Source(request_principals=("good/u1",))),)))
    required = Policies(allow=allow, request_authentications=tokens(JWTRule(issuer="good", jwks=issuer.jwks)))
    server = Server(lab, app, required)
    assert server.answer(token=issuer.token())[0] == 200
    assert server.answer(token=issuer.token(sub="u2")) == (403, "RBAC: access denied")
    assert server.answer() == (403, "RBAC: access denied")


@pytest.mark.row("RA-05", "RA-13")
def test_an_issuer_without_keys_is_refused_and_the_others_go_on(lab: Lab, app: App) -> None:
    good, lost = Issuer("good"), Issuer("lost")
    rules = (JWTRule(issuer="good", jwks=good.jwks), JWTRule(issuer="lost", jwks_uri="http://lost/jwks"))
    server = Server(lab, app, Policies(request_authentications=tokens(*rules)))
    assert server.answer(token=good.token())[0] == 200
    assert server.answer()[0] == 200
    assert server.answer(token=lost.token())[0] == 401
    assert server.answer(token=lost.token(kid="none"))[0] == 401


@pytest.mark.row("RA-07", "RA-08", "RA-09", "RA-10")
def test_places_and_outputs_and_no_forged_output(lab: Lab, app: App) -> None:
    issuer = Issuer("good")
    rule = JWTRule(
        issuer="good",
        jwks=issuer.jwks,
        from_headers=(JWTHeader(name="x-token", prefix="T "),),
        output_payload_to_header="x-payload",
        output_claim_to_headers=(ClaimToHeader(header="x-level", claim="deep.level"),),
        forward_original_token=True,
    )
    server = Server(lab, app, Policies(request_authentications=tokens(rule)))
    assert server.answer(x_token=f"T {issuer.token(deep={'level': 3})}", x_level="9")[0] == 200
    assert server.last["x-level"] == "3"
    assert server.last["x-token"].startswith("T ")
    assert "x-payload" in server.last
    assert server.answer(x_level="9", x_payload="forged")[0] == 200
    assert "x-level" not in server.last
    assert "x-payload" not in server.last
    assert server.answer(token="rubbish")[0] == 200, "Authorization is no place for tokens any more"


@pytest.mark.row("RA-15")
def test_a_preflight_needs_no_good_token(lab: Lab, app: App) -> None:
    issuer = Issuer("good")
    Server(lab, app, Policies(request_authentications=tokens(JWTRule(issuer="good", jwks=issuer.jwks))))
    bad = {"authorization": "Bearer x.y.z", "origin": "http://a"}
    plain = lab.call(app.port, request(method="OPTIONS", **bad))
    preflight = lab.call(app.port, request(method="OPTIONS", access_control_request_method="GET", **bad))
    assert b" 401 " in plain.split(b"\r\n")[0]
    assert b" 401 " not in preflight.split(b"\r\n")[0]


@contextmanager
def authorizer() -> Iterator[tuple[int, list[str]]]:
    """Allows what carries ``x-ext-authz: allow``; its port and the paths that it was asked about."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.headers.get("x-ext-authz") == "allow" else 403)
            self.send_header("x-verdict", "mine")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


GUARDED = Rule(to=(To(operation=Operation(paths=("/guarded*",))),))


@pytest.mark.row("AP-01", "AP-06", "AP-27", "MC-07", "RA-17")
def test_the_authorizer_is_asked_about_what_the_rules_select_and_before_tokens(lab: Lab, app: App) -> None:
    with authorizer() as (port, asked):
        check = HttpCheck(path_prefix="/check", request_headers=("x-ext-authz",), upstream_on_allow=("x-verdict",))
        provider = Authorizer("p", "authz", 8000, http=check)
        policies = Policies(
            custom=policy("CUSTOM", GUARDED, "p"),
            authorizers={"p": provider},
            request_authentications=tokens(JWTRule(issuer="good", jwks=Issuer("good").jwks)),
        )
        server = Server(lab, app, policies, more=(stranger_cluster(port, "outbound|8000||authz"),))
        assert server.answer("/open")[0] == 200
        assert asked == []
        assert server.answer("/guarded/x", x_ext_authz="allow")[0] == 200
        assert server.last["x-verdict"] == "mine"
        assert asked == ["/check/guarded/x"]
        assert server.answer("/guarded/x", token="rubbish")[0] == 403
        assert server.answer("/guarded/x", token="rubbish", x_ext_authz="allow")[0] == 401


@pytest.mark.row("AP-06")
def test_each_of_several_authorizers_is_asked_about_its_own(lab: Lab, app: App) -> None:
    def rule(path: str) -> Rule:
        return Rule(to=(To(operation=Operation(paths=(path,))),))

    with authorizer() as (first, asked_first), authorizer() as (second, asked_second):
        check = HttpCheck(request_headers=("x-ext-authz",))
        known = {"a": Authorizer("a", "first", 8000, http=check), "a-b": Authorizer("a-b", "second", 8000, http=check)}
        (one,), (two,) = policy("CUSTOM", rule("/a*"), "a"), policy("CUSTOM", rule("/*"), "a-b")
        policies = Policies(custom=(one, two), authorizers=known, several_authorizers=True)
        clusters = (stranger_cluster(first, "outbound|8000||first"), stranger_cluster(second, "outbound|8000||second"))
        server = Server(lab, app, policies, more=clusters)
        assert server.answer("/b", x_ext_authz="allow")[0] == 200
        assert (asked_first, asked_second) == ([], ["/b"])
        assert server.answer("/a", x_ext_authz="allow")[0] == 200
        assert (asked_first, asked_second) == (["/a"], ["/b", "/a"]), "both, in the order of their names"
        assert server.answer("/a")[0] == 403
        assert len(asked_second) == 2, "the first one's denial is the end"


@contextmanager
def key_server(issuer: Issuer) -> Iterator[int]:
    """Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(issuer.jwks.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.row("RA-06", "RA-11")
@pytest.mark.parametrize(("hostname", "expected"), [("keys", 200), ("nobody", 401)])
def test_envoy_fetches_keys_itself_and_refuses_tokens_while_it_cannot(
    lab: Lab, app: App, hostname: str, expected: int
) -> None:
    issuer, uri = Issuer("good"), "http://keys:8000/jwks"
    with key_server(issuer) as port:
        policies = Policies(
            request_authentications=tokens(JWTRule(issuer="good", jwks_uri=uri)),
            remote_keys={KeySource("good", uri): RemoteKeySet(uri, hostname, 8000)},
        )
        server = Server(lab, app, policies, more=(stranger_cluster(port, "outbound|8000||keys"),))
        assert server.answer(token=issuer.token())[0] == expected
        assert server.answer(token=Issuer("good").token())[0] == 401
        assert server.answer()[0] == 200


@pytest.mark.row("AP-06")
def test_an_authorizer_that_is_down_or_unknown_denies_what_it_was_to_judge(lab: Lab, app: App) -> None:
    provider = Authorizer("p", "gone", 8000, http=HttpCheck())
    for number, known in enumerate(({"p": provider}, {})):
        lab.directory = lab.directory / str(number)
        with http_app() as other:
            policies = Policies(custom=policy("CUSTOM", GUARDED, "p"), authorizers=known)
            server = Server(lab, other, policies)
            assert server.answer("/guarded", x_ext_authz="allow")[0] == 403
            assert server.answer("/open")[0] == 200


@pytest.mark.row("VS-19", "RA-16")
def test_a_gateway_routes_by_claims(lab: Lab) -> None:
    issuer, port = Issuer("good"), free_port()
    config = route_pb2.RouteConfiguration(name="http.80")
    host = config.virtual_hosts.add(name="v", domains=["*"])
    for status, match in (
        (201, HTTPMatchRequest(headers={"@request.auth.claims.groups": StringMatch(exact="dev")})),
        (202, HTTPMatchRequest(headers={"@request.auth.claims[deep][level]": StringMatch(prefix="hi")})),
        (203, None),
    ):
        host.routes.add(match=route_match(match)).direct_response.status = status
    manager = http_connection_manager(
        direction=Direction.GATEWAY,
        stat_prefix="outbound_0.0.0.0_80;",
        mesh=mesh_config(),
        route_config=config,
        policies=Policies(request_authentications=tokens(JWTRule(issuer="good", jwks=issuer.jwks))),
    )
    listener = listener_pb2.Listener(name="0.0.0.0_80")
    listener.address.socket_address.address, listener.address.socket_address.port_value = "127.0.0.1", port
    listener.filter_chains.add().filters.append(manager)
    lab.client(stranger_cluster(port), listener)

    def status(**claims: Any) -> int:
        return get(port, authorization=f"Bearer {issuer.token(**claims)}")

    assert status(groups=["ops", "dev"]) == 201
    assert status(groups="dev") == 201
    assert status(groups="developer", deep={"level": "high"}) == 202
    assert status(groups=["ops"]) == 203
    assert get(port) == 203
    assert get(port, authorization="Bearer rubbish") == 401
