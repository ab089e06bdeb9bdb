"""What goes over a mesh's wires: every packet that crosses its node namespace, put together to TCP streams."""

from __future__ import annotations

import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from mizzen.lab import kernel

ETH_P_ALL, ETH_P_IP = 0x0003, 0x0800
HANDSHAKE, APPLICATION_DATA = 22, 23
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
_RECORDS = range(20, 24)
_SUPPORTED_VERSIONS = 43

Key = tuple[str, int, str, int]
"""Source address and port, destination address and port."""


@dataclass
class Stream:
    """One direction of a TCP connection. ``begin`` is the sequence number of its first byte, if its SYN was seen."""

    begin: int | None = None
    segments: dict[int, bytes] = field(default_factory=dict)

    def add(self, number: int, payload: bytes) -> None:
        if len(payload) > len(self.segments.get(number, b"")):
            self.segments[number] = payload

    def raw(self) -> bytes:
        """Everything, in any order; to look for what must not be in it."""
        return b"\n".join(self.segments.values())

    def data(self) -> bytes:
        """From the first byte on without a gap; empty when the begin was not seen."""
        found = bytearray()
        if self.begin is None:
            return b""
        parts = sorted(((number - self.begin) % 2**32, payload) for number, payload in self.segments.items())
        for offset, payload in parts:
            if offset > len(found):
                break
            found[offset:] = payload if offset + len(payload) > len(found) else found[offset:]
        return bytes(found)


class Wire:
    """Listens on every interface of the namespace ``path`` (``/run/netns/NAME``) between ``with``; then ``streams``.

    A packet socket belongs to the namespace in which it was opened, so a thread goes there, opens it and comes back as
    nothing: the process itself stays where it is.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._stop = threading.Event()
        self._failed: list[OSError] = []
        self.streams: dict[Key, Stream] = defaultdict(Stream)
        self.packets = 0

    def __enter__(self) -> Self:
        opening = threading.Thread(target=self._open)
        opening.start()
        opening.join()
        if self._failed:
            raise self._failed[0]
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._reading.join()
        self._socket.close()

    def _open(self) -> None:
        try:
            kernel.enter(self._path)
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 2**20)
            self._socket.settimeout(0.2)
        except OSError as error:
            self._failed.append(error)

    def _read(self) -> None:
        while True:
            try:
                packet, source = self._socket.recvfrom(2**17)
            except TimeoutError:
                if self._stop.is_set():
                    return
                continue
            self.packets += 1
            if source[1] == ETH_P_IP:
                self._take(packet)

    def _take(self, packet: bytes) -> None:
        header = (packet[0] & 0x0F) * 4
        length = struct.unpack_from("!H", packet, 2)[0] or len(packet)
        if packet[9] != socket.IPPROTO_TCP:
            return
        source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
        source_port, target_port, number = struct.unpack_from("!HHI", packet, header)
        stream = self.streams[(source, source_port, target, target_port)]
        if packet[header + 13] & 0x02:  # SYN
            stream.begin = (number + 1) % 2**32
        payload = packet[header + (packet[header + 12] >> 4) * 4 : length]
        if payload:
            stream.add(number, payload)


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each whole TLS record (RFC 8446, 5.1). Raises ValueError at the first byte that is none of TLS."""
    position = 0
    while position + 5 <= len(data):
        kind, version, length = struct.unpack_from("!BHH", data, position)
        if kind not in _RECORDS or version >> 8 != 3 or length > 2**14 + 2048:
            raise ValueError(f"no TLS record at {position}: {data[position : position + 40]!r}")
        yield kind, data[position + 5 : position + 5 + length]
        position += 5 + length


def versions(data: bytes) -> list[int]:
    """What the hello at the begin of ``data`` offers (a client's), or has chosen (a server's): RFC 8446, 4.1.2 and 4.1.3."""
    kind, hello = next(records(data))
    if kind != HANDSHAKE or hello[0] not in (1, 2):
        raise ValueError(f"no hello: {data[:40]!r}")
    (legacy,) = struct.unpack_from("!H", hello, 4)
    position = 38 + 1 + hello[38]
    if hello[0] == 1:
        position += 2 + struct.unpack_from("!H", hello, position)[0]
        position += 1 + hello[position]
    else:
        position += 3
    position += 2
    while position + 4 <= len(hello):
        extension, length = struct.unpack_from("!HH", hello, position)
        body = hello[position + 4 : position + 4 + length]
        if extension == _SUPPORTED_VERSIONS:
            listed = body[1:] if hello[0] == 1 else body
            # Values such as 0x0a0a stand for no version: clients send them so that servers keep ignoring what they do not know.
            return [value for (value,) in struct.iter_unpack("!H", listed) if value >> 8 == 3]
        position += 4 + length
    return [legacy]
