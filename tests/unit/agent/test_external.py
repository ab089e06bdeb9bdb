"""Somebody else's secret discovery on a Unix socket, spoken to by the real child."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.agent import external
from mizzen.agent.external import External, socket_of
from mizzen.agent.keypair import expiry
from mizzen.agent.sds_client import CERTIFICATE, METHOD, ROOTS, TYPE
from tests.fakes.authorities import Ca
from tests.fakes.controlplane import until

ONE, TWO, ROOT = Ca("one"), Ca("two"), Ca("root")


class Spire:
    """Gives what is put into ``pushes``, and keeps what it was asked for."""

    def __init__(self, path: Path) -> None:
        self.pushes: asyncio.Queue[list[secret_pb2.Secret]] = asyncio.Queue()
        self.asked: list[discovery_pb2.DiscoveryRequest] = []
        self.server = grpc.aio.server()
        handler = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=discovery_pb2.DiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DiscoveryResponse.SerializeToString,
        )
        service, name = METHOD.strip("/").split("/")
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
        self.server.add_insecure_port(f"unix:{path}")

    async def _stream(self, requests: Any, context: Any) -> Any:
        self.asked.append(await anext(requests))
        number = 0
        while True:
            number += 1
            response = discovery_pb2.DiscoveryResponse(version_info=str(number), nonce=f"n{number}", type_url=TYPE)
            for secret in await self.pushes.get():
                response.resources.add().Pack(secret)
            yield response
            self.asked.append(await anext(requests))


def identity(ca: Ca) -> secret_pb2.Secret:
    found = secret_pb2.Secret(name=CERTIFICATE)
    found.tls_certificate.certificate_chain.inline_bytes = ca.pem.encode()
    found.tls_certificate.private_key.inline_bytes = ca.key_pem.encode()
    return found


def bundle(ca: Ca) -> secret_pb2.Secret:
    found = secret_pb2.Secret(name=ROOTS)
    found.validation_context.trusted_ca.inline_bytes = ca.pem.encode()
    return found


def held(sds: Path, name: str, *fields: str) -> str:
    (resource,) = json.loads((sds / f"{name}.json").read_text())["resources"]
    value = resource
    for field in fields:
        value = value[field]
    return base64.b64decode(value["inline_bytes"]).decode()


@pytest.mark.row("AG-15")
async def test_what_the_socket_gives_becomes_envoys_secrets_and_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "PAUSE", 0.05)
    path, sds, told = tmp_path / "socket", tmp_path / "sds", []
    spire = Spire(path)
    await spire.server.start()
    found = External(path, "sidecar~1~a.b~c", sds, told.append)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        await spire.pushes.put([identity(ONE)])
        await spire.pushes.put([bundle(ROOT)])
        await found.first()
        assert found.expires == expiry(ONE.pem)
        assert held(sds, "default", "tls_certificate", "certificate_chain") == ONE.pem
        assert held(sds, "ROOTCA", "validation_context", "trusted_ca") == ROOT.pem
        assert list(spire.asked[0].resource_names) == ["default", "ROOTCA"]
        assert spire.asked[0].node.id == "sidecar~1~a.b~c"
        keeping = group.create_task(found.keep())
        await spire.pushes.put([identity(TWO)])
        await until(lambda: held(sds, "default", "tls_certificate", "certificate_chain") == TWO.pem)
        assert (spire.asked[1].version_info, spire.asked[1].response_nonce) == ("1", "n1"), "acknowledged"
        mixed = identity(ONE)
        mixed.tls_certificate.private_key.inline_bytes = TWO.key_pem.encode()
        await spire.pushes.put([mixed])
        await until(lambda: found.failures)
        assert held(sds, "default", "tls_certificate", "certificate_chain") == TWO.pem, "of another key"
        await spire.server.stop(None)
        await until(lambda: found.failures > 1)
        assert held(sds, "default", "tls_certificate", "certificate_chain") == TWO.pem, "what came last stays"
        again = Spire(path)
        await again.server.start()
        await again.pushes.put([identity(ONE), bundle(ROOT)])
        await until(lambda: held(sds, "default", "tls_certificate", "certificate_chain") == ONE.pem)
        keeping.cancel()
        await again.server.stop(None)
    assert not [line for line in told if "PRIVATE" in line]


@pytest.mark.row("AG-15")
async def test_a_key_of_another_certificate_is_not_handed_on(tmp_path: Path) -> None:
    told: list[str] = []
    found = External(tmp_path / "socket", "n", tmp_path / "sds", told.append)
    found._take({"error": "the key is not that of the certificate"})
    assert (found.expires, found.failures) == (0.0, 1)
    assert "not that of the certificate" in told[0]


@pytest.mark.row("AG-15")
def test_which_socket(tmp_path: Path) -> None:
    import socket

    env = {"MIZZEN_SPIFFE_DIRECTORY": str(tmp_path)}
    assert socket_of(env) is None
    (tmp_path / "socket").write_text("no socket")
    assert socket_of(env) is None
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "own"))
        assert socket_of({**env, "WORKLOAD_IDENTITY_SOCKET_FILE": "own"}) == tmp_path / "own"
    for name, said in (("gone", "there is no socket"), ("a/b", "not the name of a file")):
        with pytest.raises(ValueError, match=said):
            socket_of({**env, "WORKLOAD_IDENTITY_SOCKET_FILE": name})
