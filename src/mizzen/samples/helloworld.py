"""Istio's helloworld: ``/hello`` says SERVICE_VERSION and HOSTNAME; ``/health``."""

import os
import socket

from mizzen.samples.web import Request, Response, port_argument, serve


def handle(request: Request) -> Response:
    """Answers one request."""
    if request.path == "/hello":
        version = os.environ.get("SERVICE_VERSION", "v1")
        instance = os.environ.get("HOSTNAME") or socket.gethostname()
        return Response(200, f"Hello version: {version}, instance: {instance}\n".encode())
    if request.path == "/health":
        return Response(200, b"Helloworld is healthy")
    return Response(404, b"not found\n")


if __name__ == "__main__":
    serve(handle, [port_argument(5000)], "helloworld")
