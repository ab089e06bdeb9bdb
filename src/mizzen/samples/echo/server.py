"""The echo server. ``--listen KIND:PORT[@HOST]`` for each port.

KIND is ``http`` (HTTP/1.1 with WebSocket, h2c and gRPC on one port), ``https`` (the same in TLS), ``tcp`` (lines come
back), ``first`` (speaks first, then as tcp). HOST ``pod`` is the pod's own address. A PROXY protocol header is understood everywhere.
"""

import argparse
import asyncio
import os
import signal
import socket
import ssl
import sys
import weakref
from http import HTTPStatus
from pathlib import Path

from mizzen.samples.echo import http2, proxy_protocol, websocket
from mizzen.samples.echo.answer import Echo, Ledger
from mizzen.samples.echo.exchange import Channel, Malformed, Request, Response, first, read_body, read_fields

GREETING = b"server-first\n"
_PATIENCE = 3600.0
_DRAIN = 1.5


class Server:
    """One process's listeners."""

    def __init__(self, echo: Echo, tls: ssl.SSLContext | None) -> None:
        self._echo = echo
        self._tls = tls
        self._names: weakref.WeakKeyDictionary[ssl.SSLObject, str] = weakref.WeakKeyDictionary()
        if tls is not None:
            tls.sni_callback = self._named

    def _named(self, connection: ssl.SSLObject, name: str, _context: ssl.SSLContext) -> None:
        self._names[connection] = name or ""

    async def listen(self, kind: str, host: str, port: int) -> asyncio.Server:
        """Raises OSError when the port is taken."""
        if kind == "https":
            return await asyncio.start_server(self._http, host, port, ssl=self._tls, ssl_handshake_timeout=10)
        serve = {"http": self._http, "tcp": self._tcp, "first": self._first}[kind]
        return await asyncio.start_server(serve, host, port, backlog=512)

    def _channel(self, writer: asyncio.StreamWriter) -> Channel:
        sock = writer.get_extra_info("sockname")
        peer = writer.get_extra_info("peername") or ("", 0)
        channel = Channel(local_port=int(sock[1]), remote=f"{peer[0]}:{peer[1]}")
        if (connection := writer.get_extra_info("ssl_object")) is not None:
            channel.tls = True
            channel.alpn = connection.selected_alpn_protocol() or ""
            channel.sni = self._names.pop(connection, "")
            subject = (connection.getpeercert() or {}).get("subject", ())
            channel.client_certificate = ",".join(f"{k}={v}" for part in subject for k, v in part)
        return channel

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _guarded(self._speak_http(reader, writer), writer)

    async def _speak_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = self._channel(writer)
        begun = await _line(reader)
        if begun.startswith(proxy_protocol.FIRST) or begun == proxy_protocol.SIGNATURE[:2]:
            channel.proxied_for = await proxy_protocol.read(reader, begun)
            begun = await _line(reader)
        if begun == http2.PREFACE[: len(begun)] and begun:
            begun += await reader.readexactly(len(http2.PREFACE) - len(begun))
            await http2.serve(reader, writer, channel, self._echo.answer, begun)
            return
        while begun and await self._one(begun, reader, writer, channel):
            begun = await _line(reader)

    async def _one(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, channel: Channel
    ) -> bool:
        words = line.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Malformed(f"no request line: {line[:80]!r}")
        headers = await read_fields(reader)
        if first(headers, "expect").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        upgrade = first(headers, "upgrade").lower() == "websocket"
        body = b"" if upgrade else await read_body(reader, headers)
        request = Request(words[0], words[1], first(headers, "host"), headers, body, words[2], channel)
        if upgrade:
            key = websocket.accept(first(headers, "sec-websocket-key"))
            answer = f"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {key}"
            writer.write(f"HTTP/1.1 101 Switching Protocols\r\n{answer}\r\n\r\n".encode())
            await websocket.echo(reader, writer)
            return False
        response = await self._echo.answer(request)
        wish = first(headers, "connection").lower()
        close = wish == "close" or (words[2] == "HTTP/1.0" and wish != "keep-alive")
        writer.write(_message(response, words[2], close, words[0] == "HEAD"))
        await writer.drain()
        return not close

    async def _tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _guarded(self._lines(reader, writer, b""), writer)

    async def _first(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _guarded(self._lines(reader, writer, GREETING), writer)

    async def _lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        """Each line comes back after ``SERVICE VERSION POD PORT``, so that the caller knows who answered."""
        echo, channel = self._echo, self._channel(writer)
        echo.connected(channel.local_port)
        writer.write(greeting)
        while line := await reader.readline():
            if line.startswith(proxy_protocol.FIRST):
                channel.proxied_for = await proxy_protocol.read(reader, line)
                continue
            words = f"service={echo.service} version={echo.version} pod={echo.pod} local_port={channel.local_port}"
            writer.write(f"{words} remote={channel.proxied_for or channel.remote} ".encode() + line)
            await writer.drain()


async def _line(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(_PATIENCE):
        return await reader.readline()


async def _guarded(work: object, writer: asyncio.StreamWriter) -> None:
    """A peer that breaks off or talks nonsense ends its own connection only."""
    try:
        await work  # type: ignore[misc]
    except (OSError, Malformed, asyncio.IncompleteReadError, TimeoutError, ValueError, ssl.SSLError):
        pass
    except BaseExceptionGroup as group:
        group.split((OSError, Malformed, asyncio.IncompleteReadError, asyncio.CancelledError))
    finally:
        writer.close()


def _message(response: Response, version: str, close: bool, bare: bool) -> bytes:
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Status"
    lines = [f"{version} {response.status} {phrase}", *(f"{name}: {value}" for name, value in response.headers)]
    body = b"" if response.status in (204, 304) or response.status < 200 else response.body
    if response.status not in (204, 304):
        lines.append(f"content-length: {len(body)}")
    if close:
        lines.append("connection: close")
    elif version == "HTTP/1.0":
        lines.append("connection: keep-alive")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + (b"" if bare else body)


def server_context(certificate: Path, authorities: Path | None) -> ssl.SSLContext:
    """TLS with h2 and http/1.1; a client certificate is asked for, and verified when one comes. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if authorities is not None:
        context.load_verify_locations(authorities)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def own_address() -> str:
    """The pod's address."""
    return os.environ.get("INSTANCE_IP") or socket.gethostbyname(socket.gethostname())


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="echo")
    parser.add_argument("--listen", action="append", default=[], metavar="KIND:PORT[@HOST]")
    parser.add_argument("--service", default=os.environ.get("SERVICE", "echo"))
    parser.add_argument("--version", default=os.environ.get("VERSION", "v1"))
    parser.add_argument("--certificate", type=Path, help="PEM: private key and chain, for https")
    parser.add_argument("--authorities", type=Path, help="PEM: who may sign client certificates")
    parser.add_argument("--ledger", type=Path, help="a directory shared by all echo servers")
    return parser.parse_args(arguments)


async def run(options: argparse.Namespace) -> None:
    """Serves until SIGTERM."""
    pod = os.environ.get("HOSTNAME", "") or socket.gethostname()
    documents = options.ledger / "documents" if options.ledger else None
    echo = Echo(options.service, options.version, pod, Ledger(options.ledger), documents)
    tls = server_context(options.certificate, options.authorities) if options.certificate else None
    server, stop = Server(echo, tls), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listeners = []
    for item in options.listen:
        kind, _, place = item.partition(":")
        port, _, host = place.partition("@")
        listeners.append(await server.listen(kind, own_address() if host == "pod" else host or "0.0.0.0", int(port)))
    print(f"echo {options.service} {options.version} listens on {len(listeners)} ports", flush=True)
    await stop.wait()
    await asyncio.sleep(_DRAIN)  # other proxies learn of a pod's end a little later than the pod does
    for listener in listeners:
        listener.close()


def main(arguments: list[str]) -> None:
    os.umask(0)
    try:
        asyncio.run(run(_options(arguments)))
    except OSError as error:
        print(f"echo: {error}", file=sys.stderr)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main(sys.argv[1:])
