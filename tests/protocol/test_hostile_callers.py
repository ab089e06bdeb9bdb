"""Callers of the control plane that do not mean well. Each test says what is refused, and that honest ones are served."""

from __future__ import annotations

import asyncio
import contextlib
import io
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER
from mizzen.server.limits import CERTIFICATES_AT_ONCE, STREAMS_PER_CALLER
from mizzen.server.transport import MESSAGE_LIMIT
from tests.fakes.controlplane import ControlPlane, control_plane, csr_pem, workload_credentials
from tests.protocol.test_services import (
    EDGE,
    NODE,
    RESOURCES,
    STREAM,
    WEB,
    channel,
    create,
    first_response,
    https,
    uris,
)

EDGE_NODE = "sidecar~10.0.0.9~edge-0.default~default.svc.cluster.local"


async def honest(mesh: ControlPlane) -> None:
    """The gateway's own stream and certificate."""
    token = mesh.tokens.token("default", "edge", "edge-0")
    async with asyncio.timeout(10), channel(mesh) as chan:
        assert [r.value for r in (await first_response(chan, EDGE_NODE, CLUSTER, token)).resources] == [b"\n\x01c"]
        chain = await create(chan, csr_pem(ec.generate_private_key(ec.SECP256R1())), token)
        assert uris(chain[0]) == ["spiffe://cluster.local/ns/default/sa/edge"]


def stream(chan: grpc.aio.Channel, token: str, requests: AsyncIterator[Any]) -> Any:
    call = chan.stream_stream(STREAM, request_serializer=lambda m: m if isinstance(m, bytes) else m.SerializeToString())
    return call(requests, metadata=[("authorization", f"Bearer {token}")] if token else [], timeout=20)


REFUSED = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL}
"""grpcio's client makes INTERNAL out of a status that overtakes its first message."""


async def answer(call: Any) -> grpc.StatusCode | None:
    """The status with which a stream ends, None once a response has come."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        if await call.read() is not grpc.aio.EOF:
            return None
    code: grpc.StatusCode = await call.code()
    return code


@pytest.mark.row("XD-05", "XD-06")
async def test_one_pod_cannot_open_streams_without_end(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def requests() -> AsyncIterator[Any]:
        yield discovery_pb2.DiscoveryRequest(node=base_pb2.Node(id=NODE), type_url=CLUSTER)
        await ended.wait()

    async with (
        control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES, streams_per_second=10_000) as mesh,
        contextlib.AsyncExitStack() as stack,
    ):
        token = mesh.tokens.token("default", "web", "web-0")
        channels = [await stack.enter_async_context(channel(mesh)) for _ in range(4)]
        calls = [stream(channels[number % 4], token, requests()) for number in range(300)]
        found = await asyncio.gather(*(answer(call) for call in calls))
        assert found.count(None) == STREAMS_PER_CALLER
        assert set(found) - {None} <= REFUSED
        await honest(mesh)
        ended.set()
        for call in calls:
            call.cancel()


@pytest.mark.row("XD-05")
async def test_streams_over_the_rate_are_turned_away(tmp_path: Path) -> None:
    async with (
        control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES, streams_per_second=0.1) as mesh,
        channel(mesh) as chan,
    ):
        token = mesh.tokens.token("default", "web", "web-0")

        async def requests() -> AsyncIterator[Any]:
            yield discovery_pb2.DiscoveryRequest(node=base_pb2.Node(id=NODE), type_url=CLUSTER)

        found = [await answer(stream(chan, token, requests())) for _ in range(4)]
        # One is due and a burst is one; what ends by itself ends well.
        assert set(found[:2]) <= {None, grpc.StatusCode.OK}
        assert set(found[2:]) <= REFUSED


@pytest.mark.row("XD-05")
async def test_callers_without_an_identity_take_nobodys_turn(tmp_path: Path) -> None:
    async def requests() -> AsyncIterator[Any]:
        yield discovery_pb2.DiscoveryRequest(node=base_pb2.Node(id=NODE), type_url=CLUSTER)

    async with (
        control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES, streams_per_second=1) as mesh,
        channel(mesh) as chan,
    ):
        calls = [stream(chan, "nonsense", requests()) for _ in range(90)]
        assert set(await asyncio.gather(*(answer(call) for call in calls))) == {grpc.StatusCode.UNAUTHENTICATED}
        await honest(mesh)


@pytest.mark.row("XD-06")
async def test_messages_that_are_too_long_or_none_end_their_own_stream(tmp_path: Path) -> None:
    huge = discovery_pb2.DiscoveryRequest(node=base_pb2.Node(id=NODE), type_url="x" * (MESSAGE_LIMIT + 1))
    cases: list[tuple[Any, grpc.StatusCode]] = [
        (huge, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"\xff\xff\xff", grpc.StatusCode.INVALID_ARGUMENT),
        (b"", grpc.StatusCode.INVALID_ARGUMENT),
    ]
    async with control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES) as mesh, channel(mesh) as chan:
        token = mesh.tokens.token("default", "web", "web-0")
        for message, code in cases:

            async def requests(sent: Any = message) -> AsyncIterator[Any]:
                yield sent
                await asyncio.Event().wait()

            call = stream(chan, token, requests())
            assert await answer(call) == code
            call.cancel()
        await honest(mesh)
        assert mesh.hub.connections.keys() <= {EDGE_NODE}


async def test_bytes_that_are_no_http2_and_no_tls_disturb_nobody(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES) as mesh:
        context = ssl.create_default_context(cadata=mesh.root)
        context.check_hostname = False
        context.set_alpn_protocols(["h2"])
        for tls in (context, None):
            for data in (
                b"GET / HTTP/1.1\r\n\r\n",
                b"\x00" * 9 + b"\xff" * 5000,
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", mesh.ports.secure, ssl=tls)
                writer.write(data)
                with contextlib.suppress(OSError):
                    async with asyncio.timeout(2):
                        await reader.read()
                writer.close()
        await honest(mesh)


@pytest.mark.row("CA-03", "CA-11")
async def test_an_agent_that_lies(tmp_path: Path) -> None:
    """It asks for other names, sends too much, and nonsense; with the certificate of one pod and the token of another."""
    async with control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES) as mesh:
        client, base = https(mesh)
        token = {"authorization": f"Bearer {mesh.tokens.token('default', 'web', 'web-0')}"}
        other = csr_pem(ec.generate_private_key(ec.SECP256R1()), "spiffe://cluster.local/ns/default/sa/edge")
        async with client:
            url = f"{base}/agent/v1/certificate"
            async with client.post(url, json={"csr": other, "ttl_seconds": 60}, headers=token) as response:
                assert uris((await response.json())["cert_chain"][0]) == ["spiffe://cluster.local/ns/default/sa/web"]
            bad: list[tuple[bytes, int]] = [
                (b"x" * 10_000_000, 413),
                (b'{"csr": "' + b"A" * 120_000 + b'"}', 400),
                (b"[" * 100_000, 400),
                (b"\xff\xfe", 400),
                (b"", 400),
                (b'{"csr": "x", "ttl_seconds": true}', 400),
                (b'{"csr": "x", "ttl_seconds": 1e400}', 400),
                (b'{"csr": "x", "ttl_seconds": -5}', 400),
            ]
            for data, status in bad:
                with contextlib.suppress(aiohttp.ClientOSError):
                    async with client.post(url, data=io.BytesIO(data), headers=token) as response:
                        assert response.status == status, data[:40]
            for path in ("/agent/v1/nothing", "/debug/configz", "/../../etc/passwd"):
                async with client.get(base + path, headers=token) as response:
                    assert response.status == 404
        await honest(mesh)


@pytest.mark.row("CA-11")
async def test_one_pod_cannot_keep_the_authority_busy(tmp_path: Path) -> None:
    """A burst is served, for a crashing pod asks again and again; then its requests are told to wait, and no other's."""
    async with control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES) as mesh:
        csr, token = csr_pem(ec.generate_private_key(ec.SECP256R1())), mesh.tokens.token("default", "web", "web-0")
        async with channel(mesh) as chan:
            found = await asyncio.gather(*(create(chan, csr, token) for _ in range(100)), return_exceptions=True)
        refused = [each for each in found if isinstance(each, grpc.aio.AioRpcError)]
        assert {each.code() for each in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert CERTIFICATES_AT_ONCE <= len(found) - len(refused) < 2 * CERTIFICATES_AT_ONCE
        client, base = https(mesh)
        headers = {"authorization": f"Bearer {token}"}
        async with client, client.post(f"{base}/agent/v1/certificate", json={"csr": csr}, headers=headers) as response:
            assert response.status == 429
        await honest(mesh)


@pytest.mark.row("CA-05", "XD-06")
async def test_a_certificate_beats_a_token_that_came_with_it(tmp_path: Path) -> None:
    """A stolen token does not lift whoever shows a certificate of its own."""
    async with control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES) as mesh:
        mine = workload_credentials(mesh.state, Identity("cluster.local", "default", "web"))
        async with channel(mesh, mine) as chan:
            stolen = mesh.tokens.token("default", "edge", "edge-0")
            chain = await create(chan, csr_pem(ec.generate_private_key(ec.SECP256R1())), stolen)
            assert uris(chain[0]) == ["spiffe://cluster.local/ns/default/sa/web"]
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await first_response(chan, EDGE_NODE, CLUSTER, stolen)
            assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
        await honest(mesh)
