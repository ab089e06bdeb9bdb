"""gRPC behind one seam: everything that knows grpclib is here.

15012 asks for a client certificate and does not require one, which grpcio's server cannot do (product decision 1).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import weakref
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpclib
from grpclib.config import Configuration
from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import StreamTerminatedError
from grpclib.metadata import encode_grpc_message
from grpclib.server import Server

MESSAGE_LIMIT = 4 * 1024 * 1024
"""Bytes of one request. Envoy's largest is a list of names, about 100 bytes each."""
KEEPALIVE = 30.0
KEEPALIVE_TIMEOUT = 10.0
"""Seconds (row XD-08)."""
GOODBYE = 1.0
"""Seconds that a peer has to answer the end of TLS; one that is gone never does."""
STOP_PATIENCE = 2.0
"""Seconds that calls have to end when the server stops."""

MANNERS = 1.0
"""Seconds that a caller who is refused has to end its side of the call."""

log = logging.getLogger(__name__)

__all__ = [
    "Call",
    "Cardinality",
    "GrpcError",
    "GrpcServer",
    "Method",
    "Status",
    "client_context",
    "serve",
    "server_context",
]


class GrpcError(grpclib.GRPCError):  # type: ignore[misc]
    """A call that ends with a status; ``message`` is sent to the caller."""


class _Bytes(CodecBase):  # type: ignore[misc]
    """Requests and responses are bytes here; who serves a method knows their type."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> bytes:
        return data


class Call:
    """One call of a method: its metadata, its caller, messages in both directions as bytes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def metadata(self) -> Mapping[str, str]:
        return {key: value for key, value in (self._stream.metadata or {}).items() if isinstance(value, str)}

    @property
    def certificate(self) -> Mapping[str, Any] | None:
        """The caller's verified certificate in the form of ``SSLSocket.getpeercert``, None without."""
        return self._stream.peer.cert() or None

    @property
    def address(self) -> str:
        peer = self._stream.peer.addr()
        return str(peer[0]) if isinstance(peer, tuple) else ""

    async def receive(self, limit: int = MESSAGE_LIMIT) -> bytes | None:
        """The next message, None when the caller has ended. Raises GrpcError when it is longer than ``limit``.

        grpclib itself would take 4 GiB before anybody could object, so its frame is read here.
        """
        inner = self._stream._stream
        head = await inner.recv_data(5)
        if not head:
            return None
        if head[0]:
            raise GrpcError(Status.UNIMPLEMENTED, "compression is not supported")
        length = int.from_bytes(head[1:], "big")
        if length > limit:
            raise GrpcError(Status.RESOURCE_EXHAUSTED, f"a message of {length} bytes is longer than {limit}")
        return bytes(await inner.recv_data(length))

    async def refuse(self, error: GrpcError) -> None:
        """End the call with the status of ``error``, and let the caller end its side.

        grpclib resets the stream right after the status. A client that is still writing may then see the reset and
        not the status, so the reset comes only when the client has ended, or has not for a second.
        """
        inner = self._stream._stream
        if not inner.closable:
            return
        headers = [("grpc-status", str(error.status.value)), ("grpc-message", encode_grpc_message(error.message or ""))]
        if not self._stream._send_initial_metadata_done:
            headers = [(":status", "200"), ("content-type", "application/grpc+proto"), *headers]
        await inner.send_headers(headers, end_stream=True)
        self._stream._send_trailing_metadata_done = True
        with contextlib.suppress(TimeoutError, GrpcError, StreamTerminatedError):
            async with asyncio.timeout(MANNERS):
                while await self.receive() is not None:
                    pass
        if inner.closable:
            inner.reset_nowait()

    async def send(self, message: bytes) -> None:
        """Send one message; waits while the caller does not read."""
        await self._stream.send_message(message)


@dataclass(frozen=True)
class Method:
    """``path`` is ``/package.Service/Method``."""

    path: str
    serve: Callable[[Call], Awaitable[None]]
    cardinality: Any = Cardinality.STREAM_STREAM


class _Handlers:
    def __init__(self, methods: list[Method]) -> None:
        self._methods = methods

    def __mapping__(self) -> dict[str, Any]:
        return {
            method.path: Handler(self._handler(method), method.cardinality, bytes, bytes) for method in self._methods
        }

    @staticmethod
    def _handler(method: Method) -> Callable[[Any], Awaitable[None]]:
        async def handle(stream: Any) -> None:
            call = Call(stream)
            try:
                await method.serve(call)
            except GrpcError as error:
                await call.refuse(error)

        return handle


def server_context(certificate: str, key: str, roots_pem: str, protocols: list[str]) -> ssl.SSLContext:
    """TLS of a server that asks for a client certificate without requiring one. ``certificate`` and ``key`` are paths."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(cadata=roots_pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(protocols)
    return context


def switched(context: ssl.SSLContext, current: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """``context``, but each connection takes certificate and trusted roots from the context that is current by then.

    Certificates could be loaded into a context in use; a root could never be taken out of one.
    """

    def switch(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = current()

    context.sni_callback = switch  # called for callers without a server name too
    return context


def client_context(roots_pem: str) -> ssl.SSLContext:
    """TLS of a client that trusts only these roots."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=roots_pem)
    return context


class GrpcServer(Server):  # type: ignore[misc]
    """grpclib's server leaves connections open when it closes; this one ends them, so that clients go elsewhere."""

    def __init__(self, methods: list[Method], configuration: Configuration) -> None:
        super().__init__([_Handlers(methods)], codec=_Bytes(), config=configuration)
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()

    def _protocol_factory(self) -> Any:
        protocol = super()._protocol_factory()
        self._connections.add(protocol)
        return protocol

    @property
    def port(self) -> int:
        listening: asyncio.Server = self._server
        return int(listening.sockets[0].getsockname()[1])

    async def listen(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        """As ``start``, which cannot say how long the end of TLS may take: without that, a peer that is gone stays for
        half a minute after the keepalive has given it up."""
        loop = asyncio.get_running_loop()
        goodbye = GOODBYE if context is not None else None
        self._server = await loop.create_server(
            self._protocol_factory, host, port, ssl=context, ssl_shutdown_timeout=goodbye
        )
        self._server_closed_fut = loop.create_future()

    async def stop(self) -> None:
        """Stop listening, cancel calls, close connections. Returns within a few seconds."""
        self.close()
        try:
            async with asyncio.timeout(STOP_PATIENCE):
                await self.wait_closed()
        except TimeoutError:
            log.warning("calls did not end in time")
        for protocol in list(self._connections):
            transport = getattr(getattr(protocol, "connection", None), "_transport", None)
            if transport is not None:
                transport.abort()  # a peer that does not read would keep a polite goodbye waiting
        await asyncio.sleep(0)


async def serve(methods: list[Method], host: str, port: int, context: ssl.SSLContext | None) -> GrpcServer:
    """Listen; the caller stops what is returned. ``port`` 0 takes a free one."""
    configuration = Configuration(
        _keepalive_time=KEEPALIVE,
        _keepalive_timeout=KEEPALIVE_TIMEOUT,
        _http2_max_pings_without_data=0,
        _http2_min_sent_ping_interval_without_data=KEEPALIVE,
    )
    server = GrpcServer(methods, configuration)
    await server.listen(host, port, context)
    return server
