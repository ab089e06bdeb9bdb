"""The simulator against the real Envoy: random route tables and filter chains, random requests and connections."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import random
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2 as rc
from envoy.config.route.v3 import route_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.filters.listener.http_inspector.v3 import http_inspector_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.direct_response.v3 import config_pb2 as direct_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.model.resources import LISTENER, ROUTE, ResourceSet
from mizzen.simulate import Call, Entry, Failure, Simulation, Speech, Tls
from mizzen.translate import filters
from mizzen.translate.messages import any_of, resource
from tests.envoy.loopback import envoy, free_port, wait_for
from tests.envoy.random_routes import HOSTS, PATHS, VALUES, table
from tests.golden.runner import FOLDER, goldens, message_of, translated

pytestmark = [pytest.mark.envoy, pytest.mark.property]

CALLS = 250


def answering(config: route_pb2.RouteConfiguration) -> route_pb2.RouteConfiguration:
    """``config`` with each route named after its place; what it would forward answers with that name."""
    result = route_pb2.RouteConfiguration()
    result.CopyFrom(config)
    for host in result.virtual_hosts:
        for index, route in enumerate(host.routes):
            route.name = f"{host.name}|{index}"
            kept = rc.Route(name=route.name, match=route.match)
            if route.HasField("redirect"):
                kept.redirect.CopyFrom(route.redirect)
            else:
                kept.direct_response.status = 200
                kept.direct_response.body.inline_string = route.name
            route.CopyFrom(kept)
    return result


def manager(config: route_pb2.RouteConfiguration | None, *, merge: bool, decode: bool) -> hcm_pb2.HttpConnectionManager:
    message = hcm_pb2.HttpConnectionManager(stat_prefix="x", http_filters=[filters.router()], merge_slashes=merge)
    message.normalize_path.value = True
    if decode:
        message.path_with_escaped_slashes_action = hcm_pb2.HttpConnectionManager.UNESCAPE_AND_FORWARD
    if config is None:
        message.rds.route_config_name = "it"
    else:
        message.route_config.CopyFrom(config)
    return message


def serving(port: int, hcm: hcm_pb2.HttpConnectionManager) -> listener_pb2.Listener:
    message = listener_pb2.Listener(name=f"l{port}")
    message.address.socket_address.address, message.address.socket_address.port_value = "127.0.0.1", port
    message.filter_chains.add().filters.append(filters.network("envoy.filters.network.http_connection_manager", hcm))
    return message


def asked(connection: http.client.HTTPConnection, call: Call) -> tuple[int, str]:
    """Status, and the Location or the body, which names the route."""
    connection.putrequest(call.method, call.path, skip_host=True, skip_accept_encoding=True)
    for name, value in (("Host", call.host), *call.headers.items()):
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    return answer.status, answer.getheader("location") or body


def client(port: int) -> contextlib.closing[http.client.HTTPConnection]:
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10))


def expected(simulation: Simulation, call: Call) -> tuple[int, str]:
    outcome = simulation.run(call)
    if outcome.reply is not None:
        return outcome.reply.status, outcome.reply.location or outcome.reply.body
    assert outcome.error in (Failure.NO_ROUTE, Failure.NO_VIRTUAL_HOST), outcome
    return 404, ""


def free_ports(number: int) -> list[int]:
    """Different ones: each is held until all are found."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("0.0.0.0", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in sockets]


def request(rng: random.Random, port: int, hosts: tuple[str, ...] = HOSTS, paths: tuple[str, ...] = PATHS) -> Call:
    headers = {name: rng.choice(VALUES) for name in ("x-a", "x-b") if rng.random() < 0.5}
    return Call(
        port=port,
        address="127.0.0.1",
        entry=Entry.DIRECT,
        host=rng.choice(hosts),
        path=rng.choice(paths),
        method=rng.choice(("GET", "GET", "PUT")),
        headers=headers,
    )


def tables() -> Iterator[tuple[str, route_pb2.RouteConfiguration]]:
    for seed in range(12):
        yield f"seed {seed}", table(random.Random(seed))
    for golden in goldens():
        if golden.path.parent.name in ("virtual_service", "gateway", "ingress"):
            for name, held in translated(golden.case).get(ROUTE).items():
                yield f"{golden.path.relative_to(FOLDER)} {name}", message_of(held)


def vocabulary(config: route_pb2.RouteConfiguration) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Hosts and paths that this table knows, and neighbours of them."""
    hosts, paths = set(HOSTS), {*PATHS}
    for host in config.virtual_hosts:
        hosts |= {domain.replace("*", word) for domain in host.domains for word in ("", "a", "b.a")}
        for route in host.routes:
            known = route.match.prefix or route.match.path or route.match.path_separated_prefix
            paths |= {known, known + "x", known + "/x", known.upper()} if known.startswith("/") else set()
    return tuple(sorted(h for h in hosts if h)), tuple(sorted(paths))


def test_routes_are_chosen_as_envoy_chooses_them(tmp_path: Path) -> None:
    bootstrap = bootstrap_pb2.Bootstrap()
    held: list[tuple[str, int, Simulation, route_pb2.RouteConfiguration]] = []
    made_of = list(tables())
    ports = free_ports(len(made_of))
    for number, ((name, config), port) in enumerate(zip(made_of, ports, strict=True)):
        named = answering(config)
        flags = {"merge": number % 2 == 1, "decode": number % 4 == 3}
        bootstrap.static_resources.listeners.append(serving(port, manager(named, **flags)))
        listener = serving(port, manager(None, **flags))
        made = ResourceSet.of([resource(ROUTE, "it", named), resource(LISTENER, listener.name, listener)])
        held.append((name, port, Simulation(made), config))
    assert len(held) > 20
    chosen: set[str] = set()
    with envoy(bootstrap, tmp_path / "envoy"):
        for name, port, simulation, config in held:
            rng = random.Random(name)
            hosts, paths = vocabulary(config)
            with client(port) as http1:
                for _ in range(CALLS if name.startswith("seed") else 60):
                    call = request(rng, port, hosts, paths)
                    wanted = expected(simulation, call)
                    assert asked(http1, call) == wanted, f"{name}\n{call}\n{simulation.run(call)}"
                    chosen.add(f"{name} {wanted[1]}")
    assert len(chosen) > 150, "the requests hardly tell routes apart"


SNI = ("a.test", "b.a.test", "c.b.a.test", "other")
ALPN = ("h2", "http/1.1", "istio")
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.1.1", "127.1.0.1")
RANGES = (("127.0.0.2", 32), ("127.0.0.0", 24), ("127.0.0.0", 8), ("127.0.0.0", 16))


def some(rng: random.Random, values: tuple[Any, ...], chance: float) -> list[Any]:
    return rng.sample(values, rng.randint(1, 2)) if rng.random() < chance else []


def chain(rng: random.Random, name: str, port: int) -> components.FilterChain:
    message = components.FilterChain(name=name)
    found = message.filter_chain_match
    if rng.random() < 0.3:
        found.destination_port.value = rng.choice((port, port, 1))
    for address, length in some(rng, RANGES, 0.35):
        found.prefix_ranges.add(address_prefix=address).prefix_len.value = length
    found.server_names.extend(some(rng, ("a.test", "*.a.test", "*.test", "b.a.test"), 0.35))
    found.transport_protocol = rng.choice(("", "", "tls", "raw_buffer"))
    found.application_protocols.extend(some(rng, (*ALPN, "h2c", "http/1.0"), 0.35))
    found.source_type = rng.choice((0, 0, 0, 1, 2))
    for address, length in some(rng, RANGES, 0.2):
        found.source_prefix_ranges.add(address_prefix=address).prefix_len.value = length
    answer = direct_pb2.Config()
    answer.response.inline_string = name
    message.filters.add(name="envoy.filters.network.direct_response", typed_config=any_of(answer))
    return message


def combinations(chain: components.FilterChain) -> set[tuple[Any, ...]]:
    """Envoy refuses two chains that share one of these."""
    found = chain.filter_chain_match
    ranges = [(r.address_prefix, r.prefix_len.value) for r in found.prefix_ranges] or [None]
    sources = [(r.address_prefix, r.prefix_len.value) for r in found.source_prefix_ranges] or [None]
    return set(
        itertools.product(
            [found.destination_port.value],
            ranges,
            list(found.server_names) or [""],
            [found.transport_protocol],
            list(found.application_protocols) or [""],
            [found.source_type],
            sources,
        )
    )


def chained(rng: random.Random, port: int) -> listener_pb2.Listener:
    message = listener_pb2.Listener(name=f"l{port}")
    message.address.socket_address.address, message.address.socket_address.port_value = "0.0.0.0", port
    inspectors = (
        ("envoy.filters.listener.tls_inspector", tls_inspector_pb2.TlsInspector()),
        ("envoy.filters.listener.http_inspector", http_inspector_pb2.HttpInspector()),
    )
    for name, config in inspectors:
        if rng.random() < 0.85:
            message.listener_filters.add(name=name, typed_config=any_of(config))
    taken: set[tuple[Any, ...]] = set()
    for number in range(rng.randint(4, 12)):
        made = chain(rng, f"c{number}", port)
        own = combinations(made)
        if not own & taken:
            taken |= own
            message.filter_chains.append(made)
    if rng.random() < 0.5:
        message.default_filter_chain.CopyFrom(chain(rng, "default", port))
        message.default_filter_chain.ClearField("filter_chain_match")
    return message


def hello(call: Call) -> bytes:
    """The client's first bytes."""
    if call.encrypted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if call.alpn:
            context.set_alpn_protocols(list(call.alpn))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        wrapped = context.wrap_bio(incoming, outgoing, server_hostname=call.sni)
        with pytest.raises(ssl.SSLWantReadError):
            wrapped.do_handshake()
        return outgoing.read()
    return {
        Speech.HTTP10: b"GET / HTTP/1.0\r\n\r\n",
        Speech.HTTP1: b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        Speech.HTTP2: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        Speech.TCP: b"\x00\x01hello\r\n",
    }[call.speech]


def dialled(call: Call) -> str:
    """Connect, say the first bytes and wait for the end; the client's address, by which the log knows the connection.

    The answer itself may be lost: Envoy closes with bytes unread.
    """
    with socket.create_connection((call.address, call.port), timeout=10, source_address=(call.source, 0)) as connection:
        host, port = connection.getsockname()
        connection.sendall(hello(call))
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(100):
                pass
        return f"{host}:{port}"


def connection(rng: random.Random, port: int) -> Call:
    tls = rng.random() < 0.5
    return Call(
        port=port,
        address=rng.choice(ADDRESSES),
        source=rng.choice(ADDRESSES),
        entry=Entry.DIRECT,
        tls=Tls.TLS if tls else Tls.PLAIN,
        sni=rng.choice(SNI) if tls else "",
        alpn=tuple(rng.sample(ALPN, rng.randint(0, 2))) if tls else (),
        speech=rng.choice((Speech.HTTP10, Speech.HTTP1, Speech.HTTP2, Speech.TCP)),
    )


def logging(listener: listener_pb2.Listener, path: Path) -> None:
    """A line for each connection, with the name of its chain."""
    log = file_pb2.FileAccessLog(path=str(path))
    line = "%DOWNSTREAM_REMOTE_ADDRESS% %FILTER_CHAIN_NAME% %RESPONSE_FLAGS%\n"
    log.log_format.text_format_source.inline_string = line
    listener.access_log.add(name="envoy.access_loggers.file", typed_config=any_of(log))


def test_filter_chains_are_chosen_as_envoy_chooses_them(tmp_path: Path) -> None:
    bootstrap = bootstrap_pb2.Bootstrap()
    listeners = [chained(random.Random(seed), port) for seed, port in enumerate(free_ports(25))]
    for listener in listeners:
        logging(listener, tmp_path / "connections")
    bootstrap.static_resources.listeners.extend(listeners)
    wanted: dict[str, tuple[str, str]] = {}
    with envoy(bootstrap, tmp_path / "envoy"):
        for seed, listener in enumerate(listeners):
            port = listener.address.socket_address.port_value
            simulation = Simulation(ResourceSet.of([resource(LISTENER, listener.name, listener)]))
            rng = random.Random(seed)
            for _ in range(60):
                call = connection(rng, port)
                outcome = simulation.run(call)
                wanted[dialled(call)] = (outcome.filter_chain or "-", f"seed {seed}\n{call}\n{outcome}")

        def logged() -> dict[str, str]:
            lines = [line.split() for line in (tmp_path / "connections").read_text().splitlines()]
            found = {client: name for client, name, _ in lines}
            return found if found.keys() >= wanted.keys() else {}

        seen = wait_for(logged, "the log of every connection")
    for client, (name, story) in wanted.items():
        assert seen[client] == name, story
    assert len({name for name, _ in wanted.values()}) > 8
    assert sum(name == "-" for name, _ in wanted.values()) > 20


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """A simulator that is asked about another request than Envoy is caught."""
    config = route_pb2.RouteConfiguration(name="it")
    host = config.virtual_hosts.add(name="h", domains=["*"])
    host.routes.add(match=rc.RouteMatch(path="/a"))
    port = free_port()
    bootstrap = bootstrap_pb2.Bootstrap()
    bootstrap.static_resources.listeners.append(serving(port, manager(answering(config), merge=False, decode=False)))
    call = Call(port=port, address="127.0.0.1", entry=Entry.DIRECT, host="x", path="/a")
    listener = serving(port, manager(None, merge=False, decode=False))
    made = ResourceSet.of([resource(ROUTE, "it", answering(config)), resource(LISTENER, listener.name, listener)])
    with envoy(bootstrap, tmp_path / "envoy"), client(port) as http1:
        assert asked(http1, call) == expected(Simulation(made), call) == (200, "h|0")
        assert asked(http1, replace(call, path="/b")) != expected(Simulation(made), call)
