"""Where an agent's certificate comes from and what kind of key it has, with a real Envoy (rows CA-10, CW-02a)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.envoy.agent_world import World, key_pem, pem

pytestmark = pytest.mark.envoy
NAME = x509.UniformResourceIdentifier("spiffe://cluster.local/ns/shop/sa/web-sa")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    found.discovery.answering.set()
    yield found
    found.close()


def put(world: World, directory: Path) -> str:
    """Files with a fresh certificate; its serial number as Envoy writes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = world.authority.certificate(key.public_key(), x509.Name([]), 3600, names=(NAME,))
    texts = {"cert-chain.pem": pem(leaf), "key.pem": key_pem(key), "root-cert.pem": pem(world.authority.root)}
    for name, text in texts.items():
        (directory / f".{name}").write_text(text)
        (directory / f".{name}").rename(directory / name)
    return f"{leaf.serial_number:x}"


def is_served(world: World, serial: str) -> bool:
    return serial in {shown.lstrip("0") for shown in world.serials()}


@pytest.mark.row("CW-02a")
def test_mounted_files_are_served_and_followed_and_the_ca_is_never_asked(world: World, tmp_path: Path) -> None:
    directory = tmp_path / "mounted"
    directory.mkdir()
    first = put(world, directory)
    world.start(MIZZEN_MOUNTED_CERTS=str(directory))
    world.until(lambda: world.ask("ready", "/healthz/ready")[0] == 200)
    world.until(lambda: is_served(world, first))
    second = put(world, directory)
    world.until(lambda: is_served(world, second))
    assert world.authority.requests == []
    assert "PRIVATE" not in world.log()


@pytest.mark.row("CW-02a")
def test_with_file_mounted_certs_the_agent_waits_for_the_files(world: World, tmp_path: Path) -> None:
    directory = tmp_path / "mounted"
    directory.mkdir()
    world.start(MIZZEN_MOUNTED_CERTS=str(directory), FILE_MOUNTED_CERTS="true")
    world.until(lambda: "no certificate from files" in world.log())
    serial = put(world, directory)
    world.until(lambda: is_served(world, serial))
    assert world.authority.requests == []


@pytest.mark.row("CA-10")
def test_a_key_of_another_kind(world: World) -> None:
    world.start(ECC_SIGNATURE_ALGORITHM="ECDSA", ECC_CURVE="P384")
    world.until(lambda: world.ask("ready", "/healthz/ready")[0] == 200)
    (request,) = world.authority.requests
    key = x509.load_pem_x509_csr(request["csr"].encode()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp384r1"
