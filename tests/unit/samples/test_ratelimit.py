"""The rate-limit service, asked by a real gRPC client with Envoy's own messages, and the store it counts in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from envoy.extensions.common.ratelimit.v3 import ratelimit_pb2 as common
from envoy.service.ratelimit.v3 import rls_pb2
from envoy.type.v3 import ratelimit_unit_pb2

from mizzen.samples import redis
from mizzen.samples.echo import client
from mizzen.samples.echo.server import Server
from mizzen.samples.ratelimit.counters import Counters, Memory, Redis, command
from mizzen.samples.ratelimit.limits import BadConfiguration, Limit, Limits
from mizzen.samples.ratelimit.server import SHOULD_RATE_LIMIT, Directory, Service

NOW = 1_000_000.0
OK, OVER = rls_pb2.RateLimitResponse.OK, rls_pb2.RateLimitResponse.OVER_LIMIT
CONFIG = """
domain: shop
descriptors:
- key: PATH
  value: /productpage
  rate_limit: {unit: minute, requests_per_unit: 1}
- key: PATH
  value: /api/*
  rate_limit: {unit: minute, requests_per_unit: 2}
- key: PATH
  rate_limit: {unit: hour, requests_per_unit: 3}
- key: user
  descriptors:
  - key: tier
    value: gold
    rate_limit: {unlimited: true}
  - key: tier
    shadow_mode: true
    rate_limit: {unit: day, requests_per_unit: 0}
- key: narrow
  rate_limit: {name: narrow, unit: second, requests_per_unit: 5, replaces: [{name: wide}]}
- key: wide
  rate_limit: {name: wide, unit: second, requests_per_unit: 0}
"""


def limits(text: str = CONFIG) -> Limits:
    found = Limits()
    found.add(yaml.safe_load(text))
    return found


def request(*descriptors: dict[str, str], domain: str = "shop", hits: int = 0) -> rls_pb2.RateLimitRequest:
    made = [
        common.RateLimitDescriptor(
            entries=[common.RateLimitDescriptor.Entry(key=key, value=value) for key, value in d.items()]
        )
        for d in descriptors
    ]
    return rls_pb2.RateLimitRequest(domain=domain, descriptors=made, hits_addend=hits)


Ask = Callable[..., Any]


@asynccontextmanager
async def service(
    directory: Path, text: str = CONFIG, counters: Counters | None = None, said: list[str] | None = None
) -> AsyncIterator[tuple[Ask, int]]:
    """A running service: a function that asks it, and its port."""
    _write(directory, text)
    files = Directory(directory, (said if said is not None else []).append, lambda: NOW + len(said or ()) * 100)
    listener = await Server(Service(files, counters or Memory(lambda: NOW), lambda: NOW), None).listen(
        "http", "127.0.0.1", 0
    )
    port = listener.sockets[0].getsockname()[1]
    async with listener, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield (
            channel.unary_unary(
                SHOULD_RATE_LIMIT,
                request_serializer=rls_pb2.RateLimitRequest.SerializeToString,
                response_deserializer=rls_pb2.RateLimitResponse.FromString,
            ),
            port,
        )


def _write(directory: Path, text: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "config.yaml").write_text(text)


def codes(answer: rls_pb2.RateLimitResponse) -> tuple[int, list[int]]:
    return answer.overall_code, [status.code for status in answer.statuses]


async def test_a_limit_holds_for_its_window_and_says_what_is_left(tmp_path: Path) -> None:
    async with service(tmp_path) as (ask, _):
        first = await ask(request({"PATH": "/productpage"}))
        second = await ask(request({"PATH": "/productpage"}))
    assert (codes(first), codes(second)) == ((OK, [OK]), (OVER, [OVER]))
    (status,) = first.statuses
    assert status.current_limit.requests_per_unit == 1
    assert status.current_limit.unit == rls_pb2.RateLimitResponse.RateLimit.MINUTE
    assert status.limit_remaining == 0
    assert status.duration_until_reset.seconds == 60 - int(NOW) % 60


async def test_values_count_apart_and_one_over_its_limit_is_enough(tmp_path: Path) -> None:
    async with service(tmp_path) as (ask, _):
        assert codes(await ask(request({"PATH": "/a"}, hits=3))) == (OK, [OK])
        both = await ask(request({"PATH": "/a"}, {"PATH": "/b"}))
        assert codes(both) == (OVER, [OVER, OK])
        assert codes(await ask(request({"PATH": "/a"}, domain="other"))) == (OK, [OK])


async def test_a_proxys_own_limit_and_hits_of_a_descriptor_count(tmp_path: Path) -> None:
    asked = request({"any": "thing"})
    asked.descriptors[0].limit.requests_per_unit = 2
    asked.descriptors[0].limit.unit = ratelimit_unit_pb2.HOUR
    asked.descriptors[0].hits_addend.value = 2
    async with service(tmp_path) as (ask, _):
        assert [codes(await ask(asked))[0] for _ in range(2)] == [OK, OVER]


async def test_shadow_mode_unlimited_and_replaced_limits_let_pass(tmp_path: Path) -> None:
    async with service(tmp_path) as (ask, _):
        assert codes(await ask(request({"user": "u", "tier": "gold"}))) == (OK, [OK])
        assert codes(await ask(request({"user": "u", "tier": "tin"}))) == (OK, [OK])
        assert codes(await ask(request({"wide": "w"}))) == (OVER, [OVER])
        assert codes(await ask(request({"wide": "w"}, {"narrow": "n"}))) == (OK, [OK, OK])


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([("PATH", "/productpage")], Limit(1, "minute")),
        ([("PATH", "/api/v1")], Limit(2, "minute")),
        ([("PATH", "/else")], Limit(3, "hour")),
        ([("PATH", "/else"), ("more", "x")], None),
        ([("user", "u")], None),
        ([("user", "u"), ("tier", "tin")], Limit(0, "day", shadow=True)),
        ([], None),
    ],
)
def test_the_tree_of_descriptors(entries: list[tuple[str, str]], expected: Limit | None) -> None:
    assert limits().find("shop", entries) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "a mapping is expected"),
        ("descriptors: []", "a domain is required"),
        ("{domain: d, typo: 1}", "unknown key typo"),
        ("{domain: d, descriptors: [{value: x}]}", "no key"),
        ("{domain: d, descriptors: [{key: a}, {key: a}]}", "twice"),
        ("{domain: d, descriptors: [{key: a, rate_limit: {unit: eon, requests_per_unit: 1}}]}", "'eon' is no unit"),
        ("{domain: d, descriptors: [{key: a, rate_limit: {unit: day, requests_per_unit: x}}]}", "is no number"),
        ("{domain: d, descriptors: [{key: a, rate_limit: {unlimited: true, unit: day}}]}", "has no unit"),
    ],
)
def test_what_is_no_configuration(text: str, reason: str) -> None:
    with pytest.raises(BadConfiguration, match=reason):
        limits(text)


async def test_a_bad_change_leaves_the_last_good_limits_in_force(tmp_path: Path) -> None:
    said: list[str] = []
    async with service(tmp_path, said=said) as (ask, _):
        assert codes(await ask(request({"PATH": "/productpage"}, hits=2))) == (OVER, [OVER])
        _write(tmp_path, "domain: shop\ndescriptors: 7\n")
        assert codes(await ask(request({"PATH": "/productpage"}))) == (OVER, [OVER])
        assert "descriptors is no list" in said[-1]
        _write(tmp_path, "domain: shop\n")
        assert codes(await ask(request({"PATH": "/productpage"}))) == (OK, [OK])


async def test_the_plain_paths(tmp_path: Path) -> None:
    body = '{"domain": "shop", "descriptors": [{"entries": [{"key": "PATH", "value": "/productpage"}]}]}'
    async with service(tmp_path) as (_, port):

        async def call(path: str, text: str = "") -> tuple[int, str]:
            asked = {"url": f"http://127.0.0.1:{port}{path}", "method": "POST" if text else "GET", "body": text}
            (result,) = await client.run_call(asked)
            return result["status"], result["body"]

        assert await call("/healthcheck") == (200, "OK")
        assert (await call("/json", body))[0] == 200
        assert (await call("/json", body))[0] == 429
        assert (await call("/json", "[1]"))[0] == 400
        assert "shop.PATH_/productpage: 1 per minute" in (await call("/rlconfig"))[1]
        assert (await call("/else"))[0] == 404


async def test_a_window_ends() -> None:
    clock = [NOW]
    memory = Memory(lambda: clock[0])
    assert [await memory.add("k", 2, 10) for _ in range(2)] == [2, 4]
    clock[0] += 100
    assert await memory.add("other", 1, 10) == 1
    assert "k" not in memory._held


async def test_services_that_share_a_redis_share_their_counts(tmp_path: Path) -> None:
    store = redis.Store()
    server = await asyncio.start_server(lambda r, w: redis.serve(store, r, w), "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with closing(Redis(address)) as first, closing(Redis(address)) as second:
        await _shared(tmp_path, server, first, second)


async def _shared(tmp_path: Path, server: asyncio.Server, first: Redis, second: Redis) -> None:
    async with (
        server,
        service(tmp_path / "1", counters=first) as (one, _),
        service(tmp_path / "2", counters=second) as (other, _),
    ):
        assert codes(await one(request({"PATH": "/productpage"})))[0] == OK
        assert codes(await other(request({"PATH": "/productpage"})))[0] == OVER


async def test_without_its_redis_the_service_says_that_it_cannot_tell(tmp_path: Path) -> None:
    async with service(tmp_path, counters=Redis("127.0.0.1:1")) as (ask, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(request({"PATH": "/productpage"}))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_the_store_speaks_redis() -> None:
    clock = [0.0]
    store = redis.Store(lambda: clock[0])
    server = await asyncio.start_server(lambda r, w: redis.serve(store, r, w), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])

        async def say(*words: str) -> bytes:
            writer.write(command(*words))
            return (await reader.readuntil(b"\r\n")).rstrip()

        assert await say("ping") == b"+PONG"
        assert [await say("INCRBY", "n", "4"), await say("INCR", "n")] == [b":4", b":5"]
        assert [await say("EXPIRE", "n", "10"), await say("TTL", "n")] == [b":1", b":10"]
        clock[0] = 11
        assert [await say("TTL", "n"), await say("GET", "n")] == [b":-2", b"$-1"]
        assert [await say("SET", "t", "x"), await say("TTL", "t")] == [b"+OK", b":-1"]
        assert (await say("INCR", "t")).startswith(b"-ERR value")
        assert [await say("DEL", "t"), await say("DEL", "t")] == [b":1", b":0"]
        assert (await say("FLUSHALL")).startswith(b"-ERR unknown command")
        writer.write(b"*1\r\n:3\r\n")
        assert b"Protocol error" in await reader.readline()
        assert await reader.read() == b""
        writer.close()
