"""Random policies, random requests: a plain reading of Istio's documentation against the verdict of a real Envoy.

One Envoy holds a batch of policy sets: each is a route, chosen by the header ``x-case``, which brings the filters'
configuration that we translated. ``MIZZEN_SEED`` tries another batch.
"""

from __future__ import annotations

import json
import os
import random
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, TypeVar

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.rbac.v3 import rbac_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import (
    AuthorizationPolicy,
    Condition,
    From,
    JWTRule,
    Operation,
    RequestAuthentication,
    Rule,
    Source,
    To,
)
from mizzen.model.protocol import Protocol
from mizzen.model.view import Inbound, MtlsMode, Policies
from mizzen.translate import inbound, rbac, tls
from mizzen.translate.messages import any_of
from tests.envoy.authz_reading import Request, allowed
from tests.envoy.loopback import Authority, client_tls, envoy, free_port
from tests.envoy.mesh import SERVER_HOST, SERVER_ID, inbound_port, mesh_config, own

pytestmark = [pytest.mark.envoy, pytest.mark.property]

SEED = int(os.environ.get("MIZZEN_SEED", "20"))
SETS, REQUESTS = 125, 40
NAMESPACE = "bar"
IDENTITIES = ("", "cluster.local/ns/foo/sa/a", "cluster.local/ns/foo/sa/b", "cluster.local/ns/bar/sa/a")
ADDRESSES = ("127.0.0.1", "127.0.0.9")
ISSUER = "https://issuer/x"
T = TypeVar("T")

_PATHS = (
    ("/", "/"),
    ("/admin", "/admin"),
    ("/admin/x", "/admin/x"),
    ("/admin/x/y", "/admin/x/y"),
    ("/adminx", "/adminx"),
    ("/Admin", "/Admin"),
    ("/a/../admin", "/admin"),
    ("/./admin", "/admin"),
    ("/admin?q=/open", "/admin"),
    ("//admin", "//admin"),
    ("/open/admin", "/open/admin"),
    ("/admin;x", "/admin;x"),
    ("/admin%2Fx", "/admin%2Fx"),
)
_CLAIMS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"sub": "u1"},
    {"sub": "u2", "groups": ["dev", "ops"], "azp": "app"},
    {"sub": "u1", "groups": "dev", "realm": {"roles": ["admin"]}, "aud": ["one", "two"]},
    {"groups": 7, "aud": "one"},
)


class Generator:
    """Policies and requests out of small pools, so that they meet often."""

    def __init__(self, seed: int, ports: Sequence[int]) -> None:
        self._random = random.Random(seed)
        self._ports = [str(port) for port in ports]

    def some(self, pool: Sequence[str], chance: float = 0.25) -> tuple[str, ...]:
        if self._random.random() > chance:
            return ()
        return tuple(self._random.sample(list(pool), self._random.randint(1, min(2, len(pool)))))

    def policies(self) -> list[Object]:
        return [self._policy(index) for index in range(self._random.randint(1, 4))]

    def _policy(self, index: int) -> Object:
        action = self._random.choice(("ALLOW", "ALLOW", "DENY"))
        rules = tuple(self._rule() for _ in range(self._random.randint(0 if action == "ALLOW" else 1, 3)))
        meta = ObjectMeta(name=f"p{index}", namespace=self._random.choice((NAMESPACE, "istio-system")))
        return Object(kind="AuthorizationPolicy", meta=meta, body=AuthorizationPolicy(rules=rules, action=action))

    def _rule(self) -> Rule:
        count = self._random.choice
        return Rule(
            from_=tuple(From(source=self._source()) for _ in range(count((0, 0, 1, 2)))),
            to=tuple(To(operation=self._operation()) for _ in range(count((0, 1, 1, 2)))),
            when=tuple(self._condition() for _ in range(count((0, 0, 0, 1, 2)))),
        )

    def _source(self) -> Source:
        principals = (*IDENTITIES[1:], "*", "cluster.local/ns/foo/*", "*/sa/a", "other/ns/foo/sa/a")
        tokens = ("*", f"{ISSUER}/u1", f"{ISSUER}/*", "*/u2", f"{ISSUER}/u*", "other/*")
        blocks = ("127.0.0.1", "127.0.0.8/29", "10.0.0.0/8")
        return Source(
            principals=self.some(principals),
            not_principals=self.some(principals, 0.15),
            namespaces=self.some(("foo", "bar", "f*", "*o")),
            not_namespaces=self.some(("foo", "b*"), 0.1),
            service_accounts=self.some(("a", "foo/a", "bar/a"), 0.1),
            not_service_accounts=self.some(("a", "foo/b"), 0.1),
            request_principals=self.some(tokens, 0.2),
            not_request_principals=self.some(tokens, 0.1),
            ip_blocks=self.some(blocks, 0.15),
            not_ip_blocks=self.some(blocks, 0.1),
            remote_ip_blocks=self.some(blocks, 0.15),
            not_remote_ip_blocks=self.some(blocks, 0.1),
        )

    def _operation(self) -> Operation:
        paths = ("/admin", "/admin*", "*/x", "/open/{*}", "/admin/{**}", "/{*}/x", "*", "/Admin")
        return Operation(
            hosts=self.some(("web", "WEB", "web:*", "*.example", "*"), 0.2),
            not_hosts=self.some(("web:80", "*.example"), 0.1),
            ports=self.some(self._ports, 0.2),
            not_ports=self.some(self._ports, 0.1),
            methods=self.some(("GET", "POST", "P*", "*")),
            not_methods=self.some(("GET", "*T"), 0.1),
            paths=self.some(paths, 0.5),
            not_paths=self.some(paths, 0.15),
        )

    def _condition(self) -> Condition:
        key, pool = self._random.choice(
            (
                ("request.headers[x-role]", ("admin", "a*", "*n", "*")),
                ("source.ip", ("127.0.0.1", "127.0.0.8/29")),
                ("remote.ip", ("127.0.0.1", "10.0.0.0/8")),
                ("source.principal", (*IDENTITIES[1:], "*")),
                ("source.namespace", ("foo", "b*")),
                ("destination.port", tuple(self._ports)),
                ("request.auth.principal", ("*", f"{ISSUER}/u1")),
                ("request.auth.audiences", ("one", "t*")),
                ("request.auth.presenter", ("app", "*")),
                ("request.auth.claims[groups]", ("dev", "o*", "7")),
                ("request.auth.claims[realm][roles]", ("admin", "*min")),
            )
        )
        values = self.some(pool, 0.7)
        return Condition(key=key, values=values, not_values=self.some(pool, 0.3 if values else 1.0))

    def request(self) -> Request:
        path, seen = self._random.choice(_PATHS)
        role = self._random.choice((None, "admin", "ops", "x,admin"))
        claims = self._random.choice(_CLAIMS)
        return Request(
            identity=self._random.choice(IDENTITIES),
            ip=self._random.choice(ADDRESSES),
            forwarded_for=self._random.choice(("", "", "10.1.2.3")),
            port=int(self._random.choice(self._ports)),
            method=self._random.choice(("GET", "POST", "PUT")),
            path=path,
            seen=seen,
            host=self._random.choice(("web", "Web", "web:80", "x.example")),
            headers={} if role is None else {"x-role": role},
            claims=None if claims is None else {"iss": ISSUER, **claims},
        )


class Tokens:
    """One issuer's key and tokens."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        self.jwks = json.dumps({"keys": [{**public, "kid": "k", "alg": "ES256"}]})
        self._made: dict[str, str] = {}

    def of(self, claims: Any) -> str:
        name = json.dumps(claims, sort_keys=True)
        if name not in self._made:
            body = {**claims, "exp": int(time.time()) + 3600}
            self._made[name] = pyjwt.encode(body, self._key, algorithm="ES256", headers={"kid": "k"})
        return self._made[name]


def listener(sets: Sequence[Sequence[Object]], ports: Sequence[int], tokens: Tokens) -> listener_pb2.Listener:
    """A sidecar's inbound listener, in which a route per policy set answers by itself."""
    rule = JWTRule(issuer=ISSUER, jwks=tokens.jwks)
    meta = ObjectMeta(name="tokens", namespace=NAMESPACE)
    known = Object(kind="RequestAuthentication", meta=meta, body=RequestAuthentication(jwt_rules=(rule,)))
    view = Inbound(
        key=1,
        mesh=mesh_config(),
        namespace=NAMESPACE,
        ports=tuple(inbound_port(port, Protocol.HTTP, MtlsMode.PERMISSIVE) for port in ports),
        policies=Policies(request_authentications=(known,)),
    )
    found = inbound.listener(view)
    routes = [_route(index, policies) for index, policies in enumerate(sets)]
    for chain in found.filter_chains:
        for filter_ in chain.filters:
            manager = hcm_pb2.HttpConnectionManager()
            if filter_.typed_config.Unpack(manager):
                _enforce(manager, routes)
                filter_.typed_config.CopyFrom(any_of(manager))
    return found


def _enforce(manager: hcm_pb2.HttpConnectionManager, routes: list[route_components_pb2.Route]) -> None:
    filters = list(manager.http_filters)
    after = [f.name for f in filters].index("envoy.filters.http.jwt_authn") + 1
    filters[after:after] = [
        hcm_pb2.HttpFilter(name=name, typed_config=any_of(http_rbac_pb2.RBAC())) for name in ("DENY", "ALLOW")
    ]
    del manager.http_filters[:]
    manager.http_filters.extend(filters)
    (host,) = manager.route_config.virtual_hosts
    del host.routes[:]
    host.routes.extend(routes)


def _route(index: int, policies: Sequence[Object]) -> route_components_pb2.Route:
    route = route_components_pb2.Route(name=str(index))
    route.match.prefix = "/"
    route.match.headers.add(name="x-case").string_match.exact = str(index)
    route.direct_response.status = 200
    groups = {action: tuple(p for p in policies if p.body.action == action) for action in ("DENY", "ALLOW")}
    for filter_ in rbac.http_filters(Policies(deny=groups["DENY"], allow=groups["ALLOW"]), mesh_config()):
        config = http_rbac_pb2.RBAC()
        assert filter_.typed_config.Unpack(config)
        name = "DENY" if config.rules.action == rbac_pb2.RBAC.DENY else "ALLOW"
        route.typed_per_filter_config[name].CopyFrom(any_of(http_rbac_pb2.RBACPerRoute(rbac=config)))
    return route


class Callers:
    """Connections that stay open: one per identity, source address and port."""

    def __init__(self, authority: Authority, directory: Path) -> None:
        self._tls: dict[str, ssl.SSLContext] = {}
        for number, identity in enumerate(filter(None, IDENTITIES)):
            files = authority.write(directory / f"caller-{number}", f"spiffe://{identity}")
            self._tls[identity] = client_tls(files, ["istio-http/1.1", "istio", "http/1.1"])
        self._open: dict[tuple[str, str, int], HTTPConnection] = {}

    def status(self, case: int, request: Request, token: str) -> int:
        key = (request.identity, request.ip, request.port)
        if key not in self._open:
            source = (request.ip, 0)
            self._open[key] = (
                HTTPSConnection(
                    SERVER_HOST, request.port, context=self._tls[request.identity], source_address=source, timeout=5
                )
                if request.identity
                else HTTPConnection(SERVER_HOST, request.port, source_address=source, timeout=5)
            )
        connection = self._open[key]
        headers = {"host": request.host, "x-case": str(case), **request.headers}
        if request.forwarded_for:
            headers["x-forwarded-for"] = request.forwarded_for
        if token:
            headers["authorization"] = f"Bearer {token}"
        connection.request(request.method, request.path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()


@contextmanager
def calling(authority: Authority, directory: Path) -> Iterator[Callers]:
    callers = Callers(authority, directory)
    try:
        yield callers
    finally:
        callers.close()


@pytest.mark.row("AP-01", "AP-10", "AP-11", "AP-12", "AP-13", "AP-14", "AP-16", "AP-17", "AP-18", "AP-20", "AP-21")
def test_envoy_decides_as_the_documentation_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, tokens = Authority(), Tokens()
    monkeypatch.setattr(tls, "SDS_DIRECTORY", str(authority.write(tmp_path / "sds", SERVER_ID)))
    ports = [free_port(SERVER_HOST), free_port(SERVER_HOST)]
    generator = Generator(SEED, ports)
    sets = [generator.policies() for _ in range(SETS)]
    bootstrap = bootstrap_pb2.Bootstrap()
    built = listener(sets, ports, tokens)
    for number, port in enumerate(ports):
        address = built.address if number == 0 else built.additional_addresses.add().address
        address.socket_address.address, address.socket_address.port_value = SERVER_HOST, port
    bootstrap.static_resources.listeners.append(built)
    bootstrap.static_resources.clusters.add(name="BlackHoleCluster").connect_timeout.seconds = 1
    verdicts = {True: 0, False: 0}
    with envoy(bootstrap, tmp_path / "envoy", own("web", NAMESPACE)), calling(authority, tmp_path) as callers:
        for case, policies in enumerate(sets):
            meant = [(policy.namespace, policy.body) for policy in policies]
            for _ in range(REQUESTS):
                request = generator.request()
                expected = allowed(meant, request)
                status = callers.status(case, request, tokens.of(request.claims) if request.claims is not None else "")
                assert status == (200 if expected else 403), f"seed {SEED}, {request}\n{[p.body for p in policies]}"
                verdicts[expected] += 1
    assert min(verdicts.values()) > SETS * REQUESTS // 5, f"too one-sided to mean much: {verdicts}"
