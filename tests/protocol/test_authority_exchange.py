"""A plugged-in CA, and its exchange while clients are connected."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.errors import MeshError
from mizzen.model.resources import ResourceSet
from tests.fakes.authorities import Ca, cacerts, files
from tests.fakes.controlplane import ControlPlane, control_plane, csr_pem, pod, until
from tests.protocol.test_services import channel, create, https

WEB = pod("default", "web-0", account="web")


async def workload(mesh: ControlPlane, credentials: tuple[str, str] | None = None) -> tuple[list[str], str]:
    """A new certificate for pod web-0 and its key; asked for by token, or with the certificate of before."""
    key = ec.generate_private_key(ec.SECP256R1())
    async with channel(mesh, credentials) as chan:
        token = "" if credentials else mesh.tokens.token("default", "web", "web-0")
        chain = await create(chan, csr_pem(key), token)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return chain, key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def issuer(pem: str) -> str:
    return x509.load_pem_x509_certificate(pem.encode()).issuer.rfc4514_string()


@pytest.mark.row("CR-02", "CR-03", "CA-01", "CA-14")
async def test_a_root_is_exchanged_by_way_of_a_bundle_of_both(tmp_path: Path) -> None:
    one, two = Ca("root-one"), Ca("root-two")
    below_one, below_two = Ca("between-one", one), Ca("between-two", two)
    async with control_plane(tmp_path, objects=(WEB, cacerts(files(below_one, one)))) as mesh:
        assert mesh.root == one.pem
        chain, key = await workload(mesh)
        assert [issuer(pem) for pem in chain[:2]] == ["CN=between-one", "CN=root-one"]
        assert chain[-1] == one.pem
        old = ("".join(chain[:-1]), key)

        client, base = https(mesh)
        headers = {"authorization": f"Bearer {mesh.tokens.token('default', 'web', 'web-0')}"}
        async with client, client.get(f"{base}/agent/v1/watch", headers=headers) as response:
            version = (await response.json())["version"]

        # Roots without a link to the present ones would cut everybody off.
        await mesh.publish(ResourceSet(), put=(cacerts(files(below_two, two)),))
        # Three files of four, or a foreign key, are no CA.
        await mesh.publish(ResourceSet(), put=(cacerts(files(below_one, one) | {"ca-key.pem": two.key_pem}),))
        await mesh.publish(ResourceSet(), put=(cacerts(files(below_one, one) | {"cert-chain.pem": ""}),))
        await until(lambda: mesh.hub.current.revision == mesh.config.revision)
        assert (await workload(mesh))[0][1:] == chain[1:]

        await mesh.publish(ResourceSet(), put=(cacerts(files(below_one, one, [one, two])),))
        await until(lambda: mesh.root == one.pem + two.pem)
        assert (await workload(mesh))[0][-1] == one.pem + two.pem

        await mesh.publish(ResourceSet(), put=(cacerts(files(below_two, two, [one, two])),))

        async def renewed() -> bool:
            return issuer((await workload(mesh))[0][0]) == "CN=between-two"

        await until(renewed)
        # Who still has a certificate of the old root renews with it.
        chain, key = await workload(mesh, old)
        assert issuer(chain[0]) == "CN=between-two"

        await mesh.publish(ResourceSet(), put=(cacerts(files(below_two, two)),))
        await until(lambda: mesh.root == two.pem)
        await workload(mesh, ("".join(chain[:-1]), key))
        with pytest.raises(grpc.aio.AioRpcError):
            await workload(mesh, old)
        client, base = https(mesh)
        async with client, client.get(f"{base}/agent/v1/watch?version={version}", headers=headers) as response:
            assert (await response.json())["roots"] == [two.pem]
        async with (
            aiohttp.ClientSession() as plain,
            plain.get(f"http://127.0.0.1:{mesh.ports.monitoring}/metrics") as page,
        ):
            assert "citadel_server_cert_chain_expiry_timestamp" in await page.text()


@pytest.mark.row("CR-02")
async def test_a_ca_of_three_files_lets_nothing_start(tmp_path: Path) -> None:
    root = Ca("root")
    contents = files(Ca("between", root), root)
    del contents["ca-key.pem"]
    with pytest.RaisesGroup(pytest.RaisesExc(MeshError, match="lacks ca-key.pem"), flatten_subgroups=True):
        async with control_plane(tmp_path, objects=(WEB, cacerts(contents))):
            pass
