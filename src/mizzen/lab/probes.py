"""Kubernetes' probes, made from outside the pod as a kubelet does; exec probes run inside."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

Raw = dict[str, Any]
Execute = Callable[[list[str]], Awaitable[int]]


class Timing(Struct, frozen=True):
    """Seconds and counts of a probe, with Kubernetes' defaults."""

    delay: float
    period: float
    timeout: float
    failures: int
    successes: int


def timing(probe: Raw) -> Timing:
    return Timing(
        float(probe.get("initialDelaySeconds") or 0),
        float(probe.get("periodSeconds") or 10),
        float(probe.get("timeoutSeconds") or 1),
        int(probe.get("failureThreshold") or 3),
        int(probe.get("successThreshold") or 1),
    )


def port_number(value: object, container: Raw) -> int:
    """A number, or the container's port of that name; 0 when there is none."""
    if isinstance(value, int):
        return value
    text = str(value or "")
    if text.isdigit():
        return int(text)
    return next((int(p["containerPort"]) for p in container.get("ports") or [] if p.get("name") == text), 0)


async def check(probe: Raw, container: Raw, address: str, execute: Execute) -> str:
    """Empty when the probe succeeded, else why not. Never raises but for cancellation."""
    try:
        async with asyncio.timeout(timing(probe).timeout):
            return await _attempt(probe, container, address, execute)
    except TimeoutError:
        return "timed out"
    except (OSError, ValueError, asyncio.IncompleteReadError, EOFError) as error:
        return str(error) or type(error).__name__


async def _attempt(probe: Raw, container: Raw, address: str, execute: Execute) -> str:
    if action := probe.get("httpGet"):
        return await http_get(action, container, address)
    if action := probe.get("tcpSocket"):
        _, writer = await asyncio.open_connection(action.get("host") or address, port_number(action.get("port"), container))
        writer.close()
        return ""
    if action := probe.get("grpc"):
        return await _grpc(address, port_number(action.get("port"), container), str(action.get("service") or ""))
    if action := probe.get("exec"):
        code = await execute([str(word) for word in action.get("command") or []])
        return "" if code == 0 else f"exit code {code}"
    return ""


async def http_get(action: Raw, container: Raw, address: str) -> str:
    """A status from 200 to 399 is a success; certificates are not verified, as a kubelet does not."""
    host, port = str(action.get("host") or address), port_number(action.get("port"), container)
    context = None
    if str(action.get("scheme", "HTTP")).upper() == "HTTPS":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    headers = {"host": f"{host}:{port}", "user-agent": "kube-probe/1.33", "accept": "*/*", "connection": "close"}
    headers |= {str(h.get("name", "")).lower(): str(h.get("value", "")) for h in action.get("httpHeaders") or []}
    path = str(action.get("path") or "/")
    text = f"GET {path if path.startswith('/') else '/' + path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n"
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(text.encode())
        line = await reader.readline()
        words = line.split()
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            writer.transport.abort()
    return "" if 200 <= status < 400 else f"HTTP status {status or 'missing'}"


async def _grpc(address: str, port: int, service: str) -> str:
    from grpclib.client import Channel
    from grpclib.exceptions import GRPCError
    from grpclib.health.v1.health_grpc import HealthStub
    from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

    channel = Channel(address, port)
    try:
        answer = await HealthStub(channel).Check(HealthCheckRequest(service=service))
    except GRPCError as error:
        return f"gRPC status {error.status.name}"
    finally:
        channel.close()
    return "" if answer.status == HealthCheckResponse.SERVING else "not serving"
