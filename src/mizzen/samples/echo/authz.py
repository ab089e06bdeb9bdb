"""An external authorizer for tests: a request passes only with the header ``x-ext-authz: allow``.

Port 8000 answers HTTP checks (any path), port 9000 Envoy's gRPC service ``Authorization``. Both tell the upstream
``x-ext-authz-check-result``, as Istio's sample does.
"""

import asyncio
import signal
import sys

from mizzen.samples.echo import grpc
from mizzen.samples.echo.answer import Echo, Ledger
from mizzen.samples.echo.exchange import Request, Response, first
from mizzen.samples.echo.server import Server

_RESULT = "x-ext-authz-check-result"
_WANTED = grpc.field(1, b"x-ext-authz") + grpc.field(2, b"allow")
"""The entry of the map ``headers`` in Envoy's CheckRequest, as it is on the wire."""


class Authorizer(Echo):
    """Decides instead of echoing."""

    async def answer(self, request: Request) -> Response:
        """By gRPC when the request is a gRPC call, else by the HTTP status."""
        if first(request.headers, "content-type").startswith("application/grpc"):
            return Response(
                200,
                [("content-type", "application/grpc")],
                grpc.framed(checked(_WANTED in request.body)),
                [("grpc-status", "0")],
            )
        allowed = first(request.headers, "x-ext-authz") == "allow"
        result = [(_RESULT, "allowed" if allowed else "denied")]
        if allowed:
            return Response(200, result)
        return Response(403, result, b"denied by ext_authz for not found header `x-ext-authz: allow` in the request")


def checked(allowed: bool) -> bytes:
    """A CheckResponse: status (1), denied_response (2) or ok_response (3), each with one header for the other side."""
    header = grpc.field(1, _RESULT.encode()) + grpc.field(2, b"allowed" if allowed else b"denied")
    option = grpc.field(1, header)
    if allowed:
        return grpc.field(1, grpc.field(1, 0)) + grpc.field(3, grpc.field(2, option))
    denied = grpc.field(1, grpc.field(1, 403)) + grpc.field(2, option) + grpc.field(3, b"denied by ext_authz")
    return grpc.field(1, grpc.field(1, 7)) + grpc.field(2, denied)


async def run() -> None:
    """Serves until SIGTERM."""
    server, stop = Server(Authorizer("authz", "v1", "", Ledger()), None), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    for port in (8000, 9000):
        await server.listen("http", "0.0.0.0", port)
    await stop.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
