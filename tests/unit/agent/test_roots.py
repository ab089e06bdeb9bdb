"""Rows CR-03, CR-05: the roots of the pod's file reach Envoy's."""

import base64
import json
from pathlib import Path

import pytest

from mizzen.agent.roots import Roots


def trusted(path: Path) -> str:
    (resource,) = json.loads(path.read_text())["resources"]
    return base64.b64decode(resource["validation_context"]["trusted_ca"]["inline_bytes"]).decode()


@pytest.mark.row("CR-03")
async def test_new_roots_are_written_for_envoy_and_told_once(tmp_path: Path) -> None:
    source, secret, told = tmp_path / "root-cert.pem", tmp_path / "sds" / "ROOTCA.json", []

    async def changed() -> None:
        told.append(trusted(secret))

    def replace(text: str) -> None:
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").rename(source)

    source.write_text("one\n")
    roots = Roots(source, tmp_path / "ca-crl.pem", secret, changed)
    await roots.look()
    assert not secret.exists()
    replace("one\ntwo\n")
    await roots.look()
    await roots.look()
    assert told == ["one\ntwo\n"]
    replace("one\ntwo\n")  # another file, the same roots
    await roots.look()
    replace("")
    await roots.look()
    source.unlink()
    await roots.look()
    assert told == ["one\ntwo\n"]
    assert trusted(secret) == "one\ntwo\n"
    replace("two\n")
    await roots.look()
    assert told == ["one\ntwo\n", "two\n"]


@pytest.mark.row("CR-10")
async def test_lists_of_revoked_certificates_come_and_go(tmp_path: Path) -> None:
    source, lists, secret = tmp_path / "root-cert.pem", tmp_path / "ca-crl.pem", tmp_path / "sds" / "ROOTCA.json"
    told = []

    async def changed() -> None:
        (resource,) = json.loads(secret.read_text())["resources"]
        told.append(base64.b64decode(resource["validation_context"].get("crl", {}).get("inline_bytes", "")))

    source.write_text("root\n")
    roots = Roots(source, lists, secret, changed)
    lists.write_text("revoked\n")
    await roots.look()
    lists.unlink()
    await roots.look()
    assert told == [b"revoked\n", b""]
