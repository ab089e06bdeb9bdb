"""A certificate from files."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from mizzen.agent.keypair import expiry
from mizzen.agent.mounted import Mounted
from tests.fakes.authorities import Ca


def put(directory: Path, **texts: str) -> None:
    for name, text in texts.items():
        (directory / f"{name.replace('_', '-')}.pem").write_text(text)


def chain(sds: Path) -> str:
    (resource,) = json.loads((sds / "default.json").read_text())["resources"]
    return base64.b64decode(resource["tls_certificate"]["certificate_chain"]["inline_bytes"]).decode()


@pytest.mark.row("CW-02a", "CG-04")
async def test_files_become_envoys_secrets_and_a_replaced_pair_follows_when_it_matches(tmp_path: Path) -> None:
    root, one, two = Ca("root"), Ca("one"), Ca("two")
    sds, told = tmp_path / "sds", []
    mounted = Mounted(tmp_path, sds, told.append)
    await mounted.look()
    assert (mounted.expires, mounted.failures) == (0.0, 1)
    put(tmp_path, cert_chain=one.pem, key=one.key_pem, root_cert=root.pem)
    await mounted.first()
    assert chain(sds) == one.pem
    assert mounted.expires == expiry(one.pem)
    put(tmp_path, cert_chain=two.pem)
    await mounted.look()
    assert chain(sds) == one.pem, "the key is still the other one's"
    put(tmp_path, key=two.key_pem)
    await mounted.look()
    assert chain(sds) == two.pem
    (resource,) = json.loads((sds / "ROOTCA.json").read_text())["resources"]
    assert base64.b64decode(resource["validation_context"]["trusted_ca"]["inline_bytes"]).decode() == root.pem
    assert not [line for line in told if "PRIVATE" in line]
