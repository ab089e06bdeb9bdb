"""HTTP/2 over a stream of bytes, for both ends, by the ``h2`` state machine."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error, ProtocolError

from mizzen.samples.echo.exchange import Channel, Fields, Request, Response

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class _Incoming:
    pseudo: dict[str, str] = field(default_factory=dict)
    headers: Fields = field(default_factory=list)
    trailers: Fields = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    reset: bool = False


class _Wire:
    """What server and client have in common: bytes in, events out, bytes out within the peer's windows."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: bool) -> None:
        self.reader = reader
        self.writer = writer
        self._client = client
        config = H2Configuration(client_side=client, header_encoding="utf-8", validate_inbound_headers=False)
        self.connection = H2Connection(config)
        self.streams: dict[int, _Incoming] = {}
        self.window = asyncio.Event()

    async def flush(self) -> None:
        if data := self.connection.data_to_send():
            self.writer.write(data)
            await self.writer.drain()

    async def send(self, stream: int, body: bytes, end: bool) -> None:
        """The body in frames; waits while the peer's window is closed."""
        while body:
            room = min(
                self.connection.local_flow_control_window(stream), self.connection.max_outbound_frame_size, len(body)
            )
            if room <= 0:
                await self.flush()
                await self._room()
                continue
            self.connection.send_data(stream, body[:room])
            body = body[room:]
        if end:
            self.connection.end_stream(stream)
        await self.flush()

    async def _room(self) -> None:
        """Until the peer may have opened its window: a server's own loop reads that, a client reads it here."""
        if self._client:
            if not await self.events():
                raise ConnectionResetError("the connection was closed before the request was sent")
        else:
            self.window.clear()
            await self.window.wait()

    async def events(self) -> list[Event]:
        """The next events; none at the end of the connection."""
        data = await self.reader.read(65536)
        if not data:
            return []
        events = list(self.connection.receive_data(data))
        self.window.set()
        for event in events:
            self._take(event)
        await self.flush()
        return events

    def _take(self, event: Event) -> None:
        if isinstance(event, RequestReceived | ResponseReceived):
            self._head(event)
        elif isinstance(event, TrailersReceived):
            self._stream(event.stream_id).trailers = _texts(event.headers)
        elif isinstance(event, DataReceived):
            self._stream(event.stream_id).body += event.data or b""
            self.connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        elif isinstance(event, StreamReset):
            stream = self._stream(event.stream_id)
            stream.reset = True
            stream.done.set()
        elif isinstance(event, StreamEnded):
            self._stream(event.stream_id).done.set()

    def _stream(self, number: int | None) -> _Incoming:
        return self.streams.setdefault(number or 0, _Incoming())

    def _head(self, event: RequestReceived | ResponseReceived) -> None:
        stream = self._stream(event.stream_id)
        for name, value in _texts(event.headers):
            if name.startswith(":"):
                stream.pseudo[name] = value
            else:
                stream.headers.append((name, value))


def _texts(headers: object) -> Fields:
    fields: Fields = []
    for name, value in headers or ():  # type: ignore[attr-defined]
        fields.append((_text(name), _text(value)))
    return fields


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, channel: Channel, handler: Handler, begun: bytes = b""
) -> None:
    """Serves one connection to its end. ``begun`` are bytes of it that were read already."""
    wire = _Wire(reader, writer, client=False)
    wire.connection.initiate_connection()
    if begun:
        wire.connection.receive_data(begun)
    await wire.flush()
    async with asyncio.TaskGroup() as tasks:
        try:
            while events := await wire.events():
                for event in events:
                    if isinstance(event, StreamEnded):
                        tasks.create_task(_answer(wire, event.stream_id or 0, channel, handler))
                    elif isinstance(event, ConnectionTerminated):
                        return
        except (ProtocolError, OSError):
            return
        finally:
            wire.window.set()


async def _answer(wire: _Wire, number: int, channel: Channel, handler: Handler) -> None:
    stream = wire.streams.pop(number)
    pseudo = stream.pseudo
    request = Request(
        pseudo.get(":method", ""),
        pseudo.get(":path", ""),
        pseudo.get(":authority", "") or next((v for k, v in stream.headers if k == "host"), ""),
        stream.headers,
        bytes(stream.body),
        "HTTP/2.0",
        channel,
    )
    response = await handler(request)
    headers = [(":status", str(response.status)), *((name.lower(), value) for name, value in response.headers)]
    try:
        wire.connection.send_headers(number, headers)
        await wire.send(number, response.body, response.trailers is None)
        if response.trailers is not None:
            wire.connection.send_headers(number, response.trailers, end_stream=True)
            await wire.flush()
    except (H2Error, OSError):
        return  # the peer reset the stream or went away


class Client:
    """One HTTP/2 connection of a client, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wire = _Wire(reader, writer, client=True)

    async def start(self) -> None:
        self._wire.connection.initiate_connection()
        await self._wire.flush()

    async def request(
        self, method: str, scheme: str, host: str, target: str, headers: Fields, body: bytes
    ) -> tuple[Response, Fields]:
        """The response and its trailers. Raises ConnectionError when the stream or the connection breaks."""
        wire = self._wire
        try:
            number = wire.connection.get_next_available_stream_id()
            pseudo = [(":method", method), (":scheme", scheme), (":authority", host), (":path", target)]
            wire.connection.send_headers(number, [*pseudo, *((k.lower(), v) for k, v in headers)], end_stream=not body)
            if body:
                await wire.send(number, body, True)
            await wire.flush()
            stream = wire._stream(number)
            while not stream.done.is_set():
                if not await wire.events():
                    raise ConnectionResetError("the connection was closed before the response ended")
        except H2Error as error:
            raise ConnectionResetError(f"HTTP/2: {error}") from None
        if stream.reset:
            raise ConnectionResetError("the stream was reset")
        del wire.streams[number]
        status = int(stream.pseudo.get(":status", "0"))
        return Response(status, stream.headers, bytes(stream.body)), stream.trailers
