"""Programs that use gRPC's own xDS implementation, each in a process of its own: gRPC reads its bootstrap file once.

``client TARGET COUNT [NAME=VALUE…]`` calls the echo method COUNT times and prints one answer a line, ``mtls`` does so encrypted as
the control plane says; ``server ADDRESS NAME`` answers NAME as the control plane says, ``plain`` without it. ``bootstrap`` makes the file.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.experimental

ECHO = "/proto.EchoTestService/Echo"
DEADLINE = 15.0


def bootstrap(server: str, node: str, credentials: dict[str, Any], **more: Any) -> str:
    """The bootstrap file of a gRPC application; ``credentials`` are those towards the control plane."""
    return json.dumps(
        {
            "xds_servers": [{"server_uri": server, "server_features": ["xds_v3"], **credentials}],
            "node": {"id": node, "metadata": {"GENERATOR": "grpc"}},
            "server_listener_resource_name_template": "xds.istio.io/grpc/lds/inbound/%s",
            **more,
        }
    )


def client(target: str, count: int, metadata: list[tuple[str, str]], *, mtls: bool) -> None:
    """``mtls``: the control plane says how to encrypt, else nothing is."""
    plain = grpc.experimental.insecure_channel_credentials()
    with grpc.secure_channel(target, grpc.xds_channel_credentials(plain) if mtls else plain) as channel:
        call = channel.unary_unary(ECHO)
        for _ in range(count):
            try:
                print(call(b"", timeout=DEADLINE, metadata=metadata).decode(errors="replace"), flush=True)
            except grpc.RpcError as error:
                print(f"{error.code().name}: {error.details()}", flush=True)


class _Echo(grpc.GenericRpcHandler):
    def __init__(self, name: str) -> None:
        self._name = name

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._name.encode())


def serve(address: str, name: str, *, xds: bool) -> None:
    """Answers ``name`` to every call; with ``xds`` the control plane says how."""
    server = grpc.server(ThreadPoolExecutor(2), handlers=[_Echo(name)], xds=xds)
    if xds:
        server.add_secure_port(address, grpc.xds_server_credentials(grpc.insecure_server_credentials()))
    else:
        server.add_insecure_port(address)
    server.start()
    print("started", flush=True)
    server.wait_for_termination()


def main(arguments: list[str]) -> None:
    verb, *rest = arguments
    if verb in ("server", "plain"):
        serve(rest[0], rest[1], xds=verb == "server")
    else:
        pairs = [(name, value) for name, _, value in (item.partition("=") for item in rest[2:])]
        client(rest[0], int(rest[1]), pairs, mtls=verb == "mtls")


if __name__ == "__main__":
    main(sys.argv[1:])
