"""HTTP/1 clients that do not mean well, at a sidecar and at a gateway.

Each test says what must not happen, and that a client who asks properly is answered before and after. ``/smuggled`` is
denied by policy: a request for it that reaches the app got past the proxy inside another one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2

from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import AuthorizationPolicy, Operation, Rule, To
from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode, Policies
from mizzen.translate import hcm
from mizzen.translate.filters import Direction
from tests.envoy.loopback import Envoy, free_port, wait_for
from tests.envoy.mesh import SERVER_HOST, Lab, inbound_port, mesh_config, stranger_cluster
from tests.envoy.raw_http import Backend, backend, say, statuses

pytestmark = pytest.mark.envoy

HONEST = b"GET /honest HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"


@dataclass
class Target:
    address: tuple[str, int]
    app: Backend
    proxy: Envoy

    def say(self, data: bytes, seconds: float = 0.4) -> list[int]:
        return statuses(say(self.address, data, seconds))

    def honest(self) -> None:
        assert self.say(HONEST) == [200]


def denied(path: str) -> Policies:
    rule = Rule(to=(To(operation=Operation(paths=(path,))),))
    body = AuthorizationPolicy(rules=(rule,), action="DENY")
    return Policies(deny=(Object(kind="AuthorizationPolicy", meta=ObjectMeta(name="p", namespace="bar"), body=body),))


def gateway(lab: Lab, app: Backend, policies: Policies) -> Target:
    """A plain HTTP server of a Gateway, with everything routed to ``app``."""
    port = free_port()
    config = route_pb2.RouteConfiguration(name="http.80")
    route = config.virtual_hosts.add(name="v", domains=["*"]).routes.add()
    route.match.prefix = "/"
    route.route.cluster = "PassthroughCluster"
    manager = hcm.http_connection_manager(
        direction=Direction.GATEWAY,
        stat_prefix="outbound_0.0.0.0_80;",
        mesh=mesh_config(lab.directory / "client" / "access.log"),
        route_config=config,
        policies=policies,
    )
    listener = listener_pb2.Listener(name="0.0.0.0_80")
    listener.address.socket_address.address, listener.address.socket_address.port_value = "127.0.0.1", port
    listener.filter_chains.add().filters.append(manager)
    return Target(("127.0.0.1", port), app, lab.client(stranger_cluster(app.port), listener))


def sidecar(lab: Lab, app: Backend, policies: Policies) -> Target:
    envoy = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE), policies=policies)
    return Target((SERVER_HOST, app.port), app, envoy)


Make = Callable[[Lab, Backend, Policies], Target]


@pytest.fixture(params=[sidecar, gateway])
def target(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Target]:
    make: Make = request.param
    with ExitStack() as stack:
        yield make(lab, stack.enter_context(backend()), denied("/smuggled"))


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /first HTTP/1.1", b"host: a", *headers, b"", b""]) + body


CHUNKED = b"transfer-encoding: chunked"
LENGTH = b"content-length: %d"
REFUSED = {
    "length and chunked": post(LENGTH % (5 + len(SMUGGLED)), CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
    "chunked and length": post(CHUNKED, LENGTH % 4, body=b"5c\r\n" + SMUGGLED + b"\r\n0\r\n\r\n"),
    "two lengths": post(LENGTH % 0, LENGTH % len(SMUGGLED), body=SMUGGLED),
    "two lengths in one": post(b"content-length: 0, %d" % len(SMUGGLED), body=SMUGGLED),
    "a signed length": post(b"content-length: +%d" % len(SMUGGLED), body=SMUGGLED),
    "a negative length": post(b"content-length: -1", body=SMUGGLED),
    "a length in hex": post(b"content-length: 0x10", body=SMUGGLED),
    "a length beyond 64 bits": post(b"content-length: 18446744073709551617", body=SMUGGLED),
    "an unknown coding": post(b"transfer-encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "chunked is not last": post(b"transfer-encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
    "a space before the colon": post(b"content-length : %d" % len(SMUGGLED), body=SMUGGLED),
    "a null in a value": post(b"x-a: b\x00c", LENGTH % 0),
    "a null in a name": post(b"x\x00-a: b", LENGTH % 0),
    "a line without a colon": post(b"x-a", LENGTH % 0),
    "an empty name": post(b": b", LENGTH % 0),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a version that is none": b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
    "a method that is none": b"GE@T / HTTP/1.1\r\nhost: a\r\n\r\n",
    "a space in the path": b"GET /a HTTP/1.1 /b HTTP/1.1\r\nhost: a\r\n\r\n",
}


def test_requests_that_two_readers_would_read_differently_are_refused(target: Target) -> None:
    target.honest()
    for name, data in REFUSED.items():
        found = target.say(data)
        assert not found or found[0] >= 400, f"{name}: {found}"
        assert target.app.lines == ["GET /honest HTTP/1.1"] * len(target.app.lines), name
        target.honest()


TOLERATED = {
    "a chunk size beyond 64 bits": post(CHUNKED, body=b"f0000000000000001\r\n" + SMUGGLED),
    "a chunk size that is none": post(CHUNKED, body=b"z\r\n" + SMUGGLED),
    "a bare return in a value": post(b"x-a: b\rcontent-length: 5", LENGTH % 0, body=SMUGGLED),
    "a folded line": post(b"x-a: b\r\n transfer-encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a chunk extension": post(CHUNKED, body=b'1;x="\r\n"\r\na\r\n0\r\n\r\n'),
    "a long chunk extension": post(CHUNKED, body=b"1;" + b"x" * 500 + b"\r\na\r\n0\r\n\r\n"),
    "a chunk that ends in the middle": post(CHUNKED, body=b"2\r\na" + SMUGGLED),
    "bare line feeds": (post(LENGTH % 0) + SMUGGLED).replace(b"\r\n", b"\n"),
    "bare line feeds in chunks": post(CHUNKED, body=b"1\na\n0\n\n" + SMUGGLED),
    "a length twice": post(LENGTH % 0, LENGTH % 0, body=SMUGGLED),
    "a coding twice": post(CHUNKED, CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
    "a coding in capitals": post(b"Transfer-Encoding: CHUNKED", body=b"0\r\n\r\n" + SMUGGLED),
    "a coding behind a tab": post(b"transfer-encoding:\tchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a trailer with a length": post(CHUNKED, body=b"0\r\ncontent-length: 9\r\n\r\n" + SMUGGLED),
    "empty lines before": b"\r\n\r\n" + SMUGGLED,
    "a body that is a request": post(LENGTH % len(SMUGGLED), body=SMUGGLED),
    "one behind another": post(LENGTH % 0) + SMUGGLED,
    "an upgrade that is none": post(b"connection: upgrade", b"upgrade: nothing", LENGTH % len(SMUGGLED), body=SMUGGLED),
    "h2c": b"GET /x HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n"
    b"http2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n" + SMUGGLED,
    "expect": post(b"expect: 100-continue", LENGTH % len(SMUGGLED), body=SMUGGLED),
    "a whole address": b"GET http://b/smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
    "connect": b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n" + SMUGGLED,
}


def test_nothing_gets_past_a_policy_inside_another_request(target: Target) -> None:
    """These may be answered or refused, but where one request ends and the next begins is seen as the app sees it."""
    for name, data in TOLERATED.items():
        target.say(data)
        assert not [line for line in target.app.lines if "smuggled" in line], name
        assert not [head for head in target.app.heads if set(head.replace(b"\r\n", b"")) & set(b"\r\n")], name
        target.honest()


def test_the_host_of_a_whole_address_counts_and_two_hosts_are_none(target: Target) -> None:
    assert target.say(b"GET http://b/x HTTP/1.1\r\nhost: a\r\n\r\n") == [200]
    assert b"\r\nhost: b\r\n" in target.app.heads[-1].lower()
    before = len(target.app.requests)
    found = target.say(b"GET /x HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n")
    assert found == [400] or b"host: a,b" in target.app.heads[-1].lower(), "never one of the two"
    assert len(target.app.requests) <= before + 1
    target.honest()


def test_a_request_that_is_too_large_is_refused(target: Target) -> None:
    large = b"GET / HTTP/1.1\r\nhost: a\r\nx-large: " + b"a" * 70_000 + b"\r\n\r\n"
    many = b"GET / HTTP/1.1\r\nhost: a\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(200)) + b"\r\n"
    long = b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n"
    for data in (large, many, long):
        assert target.say(data) == [431]
    assert target.app.requests == []
    target.honest()


def test_headers_that_speak_for_the_proxy_are_not_the_clients_to_send(lab: Lab) -> None:
    """At a gateway. Inside the mesh a caller's own proxy and the tests in tests/e2e/test_attacks.py stand for it."""
    forged = (
        "x-envoy-internal: true",
        "x-envoy-original-path: /x",
        "x-envoy-upstream-rq-timeout-ms: 1",
        "x-envoy-retry-on: 5xx",
        "x-envoy-max-retries: 9",
        "x-envoy-decorator-operation: forged",
        "x-envoy-expected-rq-timeout-ms: 1",
        "x-envoy-external-address: 10.0.0.1",
        "x-forwarded-client-cert: By=spiffe://x;URI=spiffe://cluster.local/ns/default/sa/admin",
    )
    with backend() as app:
        edge = gateway(lab, app, Policies())
        data = "\r\n".join(["GET /honest HTTP/1.1", "host: a", "connection: close", *forged, "", ""]).encode()
        assert edge.say(data) == [200]
        head = app.heads[-1].decode().lower()
        for sign in ("forged", "sa/admin", "x-envoy-internal", "x-envoy-retry-on", "10.0.0.1"):
            assert sign not in head, sign


def test_a_client_that_never_ends_its_head_is_sent_away_and_holds_up_nobody(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=10) == hcm.HEADERS_TIMEOUT
    monkeypatch.setattr(hcm, "HEADERS_TIMEOUT", timedelta(seconds=1))
    with ExitStack() as stack:
        edge = gateway(lab, stack.enter_context(backend()), Policies())
        slow = [stack.enter_context(socket.create_connection(edge.address, timeout=5)) for _ in range(300)]
        for connection in slow:
            connection.sendall(b"GET /slow HTTP/1.1\r\nhost: a\r\nx-a: ")
        begin = time.monotonic()
        edge.honest()
        assert time.monotonic() - begin < 1.0
        for connection in slow:
            try:
                connection.sendall(b"b")
                answer = connection.recv(4096)
            except ConnectionError:
                continue
            assert not answer or statuses(answer) == [408]
        wait_for(lambda: "outbound_0.0.0.0_80;.downstream_cx_active: 0" in edge.proxy.get("/stats?filter=cx_active"))
        edge.honest()
        assert set(edge.app.lines) == {"GET /honest HTTP/1.1"}
