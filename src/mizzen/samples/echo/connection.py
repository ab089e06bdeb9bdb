"""A client's connection: plain or TLS, spoken to in HTTP/1.1 or HTTP/2."""

import asyncio
import contextlib
import ssl
import tempfile
from typing import Any

from mizzen.samples.echo import http2, websocket
from mizzen.samples.echo.exchange import Fields, Malformed, Response, read_body, read_fields

Json = dict[str, Any]
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


def client_context(tls: Json, http2_wanted: bool) -> ssl.SSLContext:
    """``tls``: ca (PEM), insecure, cert and key (PEM), alpn, max_version ("1.2" or "TLSv1_2"). Raises SSLError, KeyError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if tls.get("ca") and not tls.get("insecure") else ssl.CERT_NONE
    if tls.get("ca"):
        context.load_verify_locations(cadata=tls["ca"])
        context.check_hostname = bool(tls.get("sni")) and not tls.get("insecure")
    if tls.get("cert"):
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(tls.get("key", "") + "\n" + tls["cert"])
            file.flush()
            context.load_cert_chain(file.name)
    offered = tls.get("alpn")
    offered = [offered] if isinstance(offered, str) else offered
    if offered is None:
        offered = ["h2", "http/1.1"] if http2_wanted else ["http/1.1"]
    if offered:
        context.set_alpn_protocols(offered)
    if longest := str(tls.get("max_version") or "").removeprefix("TLSv").replace("_", "."):
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = VERSIONS[longest]
        if longest in ("1.0", "1.1"):
            context.set_ciphers("ALL:@SECLEVEL=0")
    return context


class Connection:
    """One open connection. ``alpn`` is what TLS agreed on, ``certificate`` the server's (DER)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, use_http2: bool) -> None:
        self._reader = reader
        self._writer = writer
        tls = writer.get_extra_info("ssl_object")
        self.alpn: str = (tls.selected_alpn_protocol() or "") if tls else ""
        self.tls_version: str = tls.version() if tls else ""
        self.certificate: bytes = (tls.getpeercert(True) or b"") if tls else b""
        self._http2 = http2.Client(reader, writer) if (self.alpn == "h2" if tls else use_http2) else None
        self._started = False
        self.usable = True

    @classmethod
    async def open(cls, host: str, port: int, tls: Json | None, use_http2: bool) -> "Connection":
        """Raises OSError (also for TLS failures)."""
        if tls is None:
            reader, writer = await asyncio.open_connection(host, port)
        else:
            context = client_context(tls, use_http2)
            name = str(tls.get("sni") or "")
            reader, writer = await _open_tls(host, port, context, name)
        return cls(reader, writer, use_http2)

    @property
    def protocol(self) -> str:
        return "HTTP/2.0" if self._http2 else "HTTP/1.1"

    async def request(
        self, method: str, scheme: str, host: str, target: str, headers: Fields, body: bytes
    ) -> tuple[Response, Fields]:
        """The response and its trailers. Raises OSError when there is none."""
        if self._http2 is not None:
            if not self._started:
                self._started = True
                await self._http2.start()
            return await self._http2.request(method, scheme, host, target, headers, body)
        return await self._http1(method, host, target, headers, body), []

    async def _http1(self, method: str, host: str, target: str, headers: Fields, body: bytes) -> Response:
        lines = [f"{method} {target} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers)]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(body)}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8") + body)
        await self._writer.drain()
        try:
            while True:
                status = await self._status()
                fields = await read_fields(self._reader)
                if status >= 200 or status == 101:
                    break
            bare = method == "HEAD" or status in (101, 204, 304)
            told = {name.lower(): value.lower() for name, value in fields}
            if told.get("connection") == "close" or status == 101:
                self.usable = False
            ends = "content-length" not in told and "transfer-encoding" not in told
            content = b"" if bare else await read_body(self._reader, fields, until_end=True)
            self.usable &= bare or not ends
        except (asyncio.IncompleteReadError, Malformed) as error:
            raise ConnectionResetError(f"the response broke off: {error}") from None
        return Response(status, fields, content)

    async def _status(self) -> int:
        line = (await self._reader.readline()).decode("latin-1").split()
        if not line:
            raise ConnectionResetError("the connection was closed without a response")
        if len(line) < 2 or not line[0].startswith("HTTP/1.") or not line[1].isdigit():
            raise ConnectionResetError(f"no HTTP response: {' '.join(line)[:80]!r}")
        return int(line[1])

    async def message(self, text: str) -> str:
        """On a WebSocket: sends a message and gives what comes back. Raises OSError."""
        self._writer.write(websocket.frame(websocket.TEXT, text.encode(), True))
        try:
            _, data = await websocket.read_frame(self._reader)
        except (asyncio.IncompleteReadError, Malformed) as error:
            raise ConnectionResetError(f"the WebSocket broke off: {error}") from None
        return data.decode("utf-8", "replace")

    async def line(self, text: str, greeted: bool) -> str:
        """Sends a line (after the server's own first line if ``greeted``) and gives all that came, up to its echo or the end.

        Raises OSError when the other end closes without an answer.
        """
        greeting = (await self._reader.readline()).decode("utf-8", "replace") if greeted else ""
        if greeted and not greeting:
            raise ConnectionResetError("the connection was closed before the server spoke")
        if greeted and not text:
            return greeting
        received = greeting
        self._writer.write(text.encode() + b"\n")
        await self._writer.drain()
        while text not in received or not received.endswith("\n"):
            piece = await self._reader.read(4096)
            if not piece and received != greeting:
                self.usable = False
                return received
            if not piece:
                raise ConnectionResetError(f"the connection was closed; received {received[:200]!r}")
            received += piece.decode("utf-8", "replace")
        return received

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.close()


async def _open_tls(
    host: str, port: int, context: ssl.SSLContext, name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # asyncio insists on a server name or none at all; an empty text means none.
    return await asyncio.open_connection(host, port, ssl=context, server_hostname=name, ssl_handshake_timeout=10)
