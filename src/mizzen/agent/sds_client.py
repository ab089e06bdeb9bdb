"""A child of the agent that follows somebody else's secret discovery, such as SPIRE's, on a Unix socket (row AG-15).

``python -m mizzen.agent.sds_client SOCKET NODE`` prints a line of JSON, ``{"certificate", "key", "roots", "expires"}``,
whenever these change and all are there. It ends with its standard input, and with exit code 1 when the stream breaks. The
key goes through the pipe alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2
from grpclib.client import Channel, StreamStreamMethod
from grpclib.exceptions import GRPCError, StreamTerminatedError

from mizzen.agent.keypair import pair

METHOD = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets"
TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
CERTIFICATE, ROOTS = "default", "ROOTCA"
"""Under which names they are asked for: those that SPIRE's agent gives by itself."""


def read(response: discovery_pb2.DiscoveryResponse) -> dict[str, str]:
    """What a response brings of ``certificate``, ``key`` and ``roots``."""
    found: dict[str, str] = {}
    for resource in response.resources:
        secret = secret_pb2.Secret.FromString(resource.value)
        if secret.name == CERTIFICATE:
            found["certificate"] = _text(secret.tls_certificate.certificate_chain)
            found["key"] = _text(secret.tls_certificate.private_key)
        elif secret.name == ROOTS:
            found["roots"] = _text(secret.validation_context.trusted_ca)
    return found


def _text(source: base_pb2.DataSource) -> str:
    return str(source.inline_string) or bytes(source.inline_bytes).decode("ascii", "replace")


async def follow(path: str, node: str, tell: Callable[[dict[str, Any]], None]) -> None:
    """Until the stream ends. Raises OSError, GRPCError or StreamTerminatedError when it breaks."""
    known: dict[str, str] = {}
    channel = Channel(path=path)
    method: Any = StreamStreamMethod(channel, METHOD, discovery_pb2.DiscoveryRequest, discovery_pb2.DiscoveryResponse)
    asked = discovery_pb2.DiscoveryRequest(
        node=base_pb2.Node(id=node), type_url=TYPE, resource_names=[CERTIFICATE, ROOTS]
    )
    try:
        async with method.open() as stream:
            await stream.send_message(asked)
            async for response in stream:
                asked.version_info, asked.response_nonce = response.version_info, response.nonce
                await stream.send_message(asked)
                found = read(response)
                if found.items() <= known.items():
                    continue
                known |= found
                if all(known.get(name) for name in ("certificate", "key", "roots")):
                    tell({**known, **_expiry(known)})
    finally:
        channel.close()


def _expiry(known: dict[str, str]) -> dict[str, Any]:
    try:
        return pair(known["certificate"], known["key"])
    except ValueError as error:
        return {"error": str(error)}


async def main(path: str, node: str) -> int:
    """The exit code."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)  # nothing is ever written there: it is the end
    try:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow(path, node, _tell))
            ending = group.create_task(ended.wait())
            await asyncio.wait((following, ending), return_when=asyncio.FIRST_COMPLETED)
            following.cancel()
            ending.cancel()
    except* (OSError, GRPCError, StreamTerminatedError) as errors:
        sys.stderr.write(f"{errors.exceptions[0]}\n")
    return 0 if ended.is_set() else 1


def _tell(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:3])))
