"""The echo server and client, over real connections."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mizzen.samples.echo import authz, client, grpc, names, proxy_protocol, server
from mizzen.samples.echo.answer import Echo, Ledger, peer, seconds
from mizzen.samples.echo.exchange import Channel, Request


async def calls(ledger: Path, kind: str, *asked: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The results of calls to one listener; ``PORT`` in them is its port."""
    echo = Echo("web", "v1", "web-1", Ledger(ledger), ledger)
    listener = await server.Server(echo, None).listen(kind, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener:
        return [await client.run_call(json.loads(json.dumps(call).replace("PORT", str(port)))) for call in asked]


def body(result: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(result["body"]))


URL = "http://127.0.0.1:PORT"


async def test_http_of_both_versions(tmp_path: Path) -> None:
    one, two = await calls(
        tmp_path, "http", {"url": f"{URL}/a?b=c", "headers": {"X-N": "${i}"}, "count": 2}, {"url": URL, "http2": True}
    )
    assert [(body(r)["path"], body(r)["headers"]["x-n"], body(r)["protocol"]) for r in one] == [
        ("/a?b=c", "0", "HTTP/1.1"),
        ("/a?b=c", "1", "HTTP/1.1"),
    ]
    assert body(two[0])["protocol"] == "HTTP/2.0"


async def test_the_query_bends_the_answer(tmp_path: Path) -> None:
    failing, status, header, slow = await calls(
        tmp_path,
        "http",
        {"url": f"{URL}/?fail=2&key=k", "count": 3},
        {"url": f"{URL}/?status=418"},
        {"url": f"{URL}/?hdr=x-a:1&hdr=x-b:2"},
        {"url": f"{URL}/?delay=120ms"},
    )
    assert [r["status"] for r in failing] == [503, 503, 200]
    assert status[0]["status"] == 418
    assert (header[0]["headers"]["x-a"], header[0]["headers"]["x-b"]) == ("1", "2")
    assert slow[0]["ms"] >= 120


def test_a_key_is_counted_by_all_who_share_a_ledger(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path), Ledger(tmp_path)
    assert [one.count("k"), other.count("k"), other.count("k", "pod-1"), one.count("k", "pod-2")] == [1, 2, 1, 1]
    for path in tmp_path.glob("key-*"):
        path.unlink()
    assert [one.count("k"), other.count("k", "pod-1")] == [1, 1]


async def test_raw_http10_over_tcp_is_answered_in_its_version(tmp_path: Path) -> None:
    ((answer,),) = await calls(tmp_path, "http", {"tcp": "GET / HTTP/1.0\n", "address": "127.0.0.1:PORT"})
    assert answer["tcp"].startswith("HTTP/1.0 200 OK")


async def test_a_peer_that_hangs_up_without_an_answer_is_an_error(tmp_path: Path) -> None:
    ((answer,),) = await calls(tmp_path, "http", {"tcp": "nonsense", "address": "127.0.0.1:PORT"})
    assert "ConnectionReset" in answer["error"]


async def test_grpc_websocket_and_large_bodies(tmp_path: Path) -> None:
    call, refused, socket, large = await calls(
        tmp_path,
        "http",
        {"grpc": {"address": "127.0.0.1:PORT"}},
        {"grpc": {"address": "127.0.0.1:PORT", "message": "status=5"}},
        {"url": "ws://127.0.0.1:PORT/", "body": "salute"},
        {"url": URL, "http2": True, "body": "x" * 300_000},
    )
    assert (call[0]["grpc"], body(call[0])["service"], refused[0]["grpc"]) == (0, "web", 5)
    assert (socket[0]["status"], socket[0]["body"]) == (101, "salute")
    assert len(body(large[0])["body"]) == 300_000


async def test_tcp_tells_who_answers(tmp_path: Path) -> None:
    ((answer,),) = await calls(tmp_path, "tcp", {"tcp": "ping", "address": "127.0.0.1:PORT"})
    assert "service=web version=v1 pod=web-1" in answer["tcp"]
    assert answer["tcp"].endswith("ping\n")
    record = json.loads((tmp_path / "requests").read_text())
    assert record["service"] == "web"


async def test_what_cannot_be_reached_is_an_error_and_nonsense_ends_one_connection(tmp_path: Path) -> None:
    nobody, wrong = await calls(
        tmp_path, "tcp", {"url": "http://127.0.0.1:1/"}, {"url": URL, "timeout": 5, "http2": True}
    )
    assert "ConnectionRefused" in nobody[0]["error"]
    assert "error" in wrong[0]


async def test_proxy_protocol() -> None:
    async def read(data: bytes, begun: int) -> str:
        reader = asyncio.StreamReader()
        reader.feed_data(data[begun:])
        reader.feed_eof()
        return await proxy_protocol.read(reader, data[:begun])

    assert await read(b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\n", 6) == "1.2.3.4:11"
    second = proxy_protocol.SIGNATURE + bytes([0x21, 0x11, 0, 12]) + bytes([1, 2, 3, 4, 5, 6, 7, 8, 0, 11, 0, 22])
    assert await read(second, 2) == "1.2.3.4:11"


@pytest.mark.parametrize(("text", "length"), [("200ms", 0.2), ("2s", 2), ("1.5", 1.5), ("soon", 0)])
def test_lengths_of_time(text: str, length: float) -> None:
    assert seconds(text) == length


def test_the_peer_is_the_last_proxys_word() -> None:
    assert peer([("X-Forwarded-Client-Cert", "By=a;URI=spiffe://x,By=b;URI=spiffe://y")]) == "spiffe://y"
    assert peer([]) == ""


async def test_the_authorizer_asks_for_its_header() -> None:
    decide = authz.Authorizer("authz", "v1", "", Ledger())

    async def http(value: str) -> int:
        return (await decide.answer(Request("GET", "/", "x", [("x-ext-authz", value)], b"", "", Channel()))).status

    async def check(value: bytes) -> bytes:
        entry = grpc.field(3, grpc.field(1, b"x-ext-authz") + grpc.field(2, value))
        head = [("content-type", "application/grpc")]
        answer = await decide.answer(Request("POST", grpc.CHECK, "x", head, grpc.framed(entry), "", Channel()))
        return grpc.unframed(answer.body)

    assert (await http("allow"), await http("deny")) == (200, 403)
    assert 2 in grpc.texts(await check(b"deny"))
    assert 3 in grpc.texts(await check(b"allow"))


def test_names_are_tried_as_a_resolver_does() -> None:
    server, search, dots = names.configured("nameserver 10.0.0.1\nsearch a.local b.local\noptions ndots:2\n")
    assert (server, dots) == ("10.0.0.1", 2)
    assert names.candidates("web", search, dots) == ["web.a.local", "web.b.local", "web"]
    assert names.candidates("x.y.z", search, dots)[0] == "x.y.z"
    assert names.candidates("x.", search, dots) == ["x."]
