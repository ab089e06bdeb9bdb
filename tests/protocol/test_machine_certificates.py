"""A machine's agent renews by its last certificate, against the real authority (row VM-05)."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

import pytest

from mizzen.agent import keypair
from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.model.identity import Identity
from tests.fakes.authorities import Ca
from tests.fakes.controlplane import ControlPlane, control_plane, workload_credentials
from tests.protocol.test_services import uris

DB = "spiffe://cluster.local/ns/vms/sa/db"


def account() -> Object:
    found = decode(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "db", "namespace": "vms", "uid": "u"}}
    ).object
    assert found is not None
    return found


class Machine:
    """Its files, and a way to ask for the next certificate as the agent's child does."""

    def __init__(self, mesh: ControlPlane, directory: Path) -> None:
        self.mesh, self.certs, self.token = mesh, directory / "certs", directory / "istio-token"
        self.certs.mkdir()
        (directory / "root.pem").write_text(mesh.root)
        self.request = {
            "url": f"https://127.0.0.1:{mesh.ports.https}/agent/v1/certificate",
            "token_path": str(self.token),
            "proved_path": str(self.certs),
            "root_cert_path": str(directory / "root.pem"),
            "ttl_seconds": 600,
        }

    def bring_token(self, **changes: Any) -> None:
        claims = {"kubernetes.io": {"namespace": "vms", "serviceaccount": {"name": "db", "uid": "u"}}}
        self.token.write_text(self.mesh.tokens.token("vms", "db", "", **claims, **changes))

    async def renew(self) -> list[str]:
        key, csr = keypair.key_and_csr(DB)
        answer = await asyncio.to_thread(keypair.sign, self.request, csr)
        self.keep("".join(answer["cert_chain"]), key)
        return uris(answer["cert_chain"][0])

    def keep(self, chain: str, key: str) -> None:
        (self.certs / "cert-chain.pem").write_text(chain)
        (self.certs / "key.pem").write_text(key)


@pytest.mark.row("VM-05", "VM-01", "CA-05")
async def test_the_token_is_needed_once(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(account(),)) as mesh:
        machine = Machine(mesh, tmp_path)
        machine.bring_token()
        assert await machine.renew() == [DB]
        machine.bring_token(exp=1)  # long ago
        assert await machine.renew() == [DB]
        machine.token.unlink()
        assert await machine.renew() == [DB]


@pytest.mark.row("VM-05")
async def test_a_certificate_that_proves_nothing_any_more_wants_a_new_token(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(account(),)) as mesh:
        machine = Machine(mesh, tmp_path)
        chain, key = workload_credentials(mesh.state, Identity("cluster.local", "vms", "db"))
        assert keypair.proof_in(str(machine.certs), 0) is None
        machine.keep(chain, key)
        soon = datetime.datetime.now(datetime.UTC).timestamp()
        assert keypair.proof_in(str(machine.certs), soon) is not None
        assert keypair.proof_in(str(machine.certs), soon + 7200) is None  # it was off for too long
        machine.keep(chain, keypair.key_and_csr(DB)[0])
        assert keypair.proof_in(str(machine.certs), soon) is None  # files of two moments
        stranger = Ca("stranger")
        machine.keep(stranger.pem, stranger.key_pem)
        machine.bring_token()
        assert await machine.renew() == [DB]  # another mesh's certificate: the token still counts
        machine.keep(stranger.pem, stranger.key_pem)
        machine.token.unlink()
        with pytest.raises(OSError):  # noqa: PT011 - TLS says it in one of several ways
            await machine.renew()
