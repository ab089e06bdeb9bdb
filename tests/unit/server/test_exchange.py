"""A new authority reaches whoever must know, on its real ports."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.fakes.controlplane import ControlPlane, control_plane, until


async def shown(mesh: ControlPlane) -> x509.Certificate:
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", mesh.ports.secure))
    return x509.load_pem_x509_certificate(pem.encode())


@pytest.mark.row("CR-04", "CR-06")
async def test_an_old_root_is_renewed_and_the_ports_follow(tmp_path: Path) -> None:
    short = timedelta(seconds=20)
    async with control_plane(tmp_path, self_signed_ca_cert_ttl=short, root_check=timedelta(seconds=0.1)) as mesh:
        before, old = mesh.root, await shown(mesh)
        await until(lambda: mesh.root != before)

        async def renewed() -> bool:
            return (await shown(mesh)).serial_number != old.serial_number

        await until(renewed)
        first, now = (x509.load_pem_x509_certificate(pem.encode()) for pem in (before, mesh.root))
        old.verify_directly_issued_by(now)
        (await shown(mesh)).verify_directly_issued_by(first)


@pytest.mark.row("CR-04")
async def test_zero_switches_the_renewal_off(tmp_path: Path) -> None:
    short = timedelta(seconds=20)
    async with control_plane(tmp_path, self_signed_ca_cert_ttl=short, root_check=timedelta(0)) as mesh:
        before = mesh.root
        with pytest.raises(TimeoutError):
            await until(lambda: mesh.root != before, 0.5)
