from __future__ import annotations

import base64
import json
from pathlib import Path

from mizzen.agent import secrets


def test_a_secret_is_a_whole_answer_with_the_chain_joined() -> None:
    (found,) = secrets.certificate(["LEAF\n", "MID\n"], "KEY")["resources"]
    assert found["name"] == "default"
    body = {name: base64.b64decode(value["inline_bytes"]) for name, value in found["tls_certificate"].items()}
    assert body == {"certificate_chain": b"LEAF\nMID\n", "private_key": b"KEY"}
    (found,) = secrets.roots(["A\n", "B\n"])["resources"]
    assert found["name"] == "ROOTCA"
    assert base64.b64decode(found["validation_context"]["trusted_ca"]["inline_bytes"]) == b"A\nB\n"


def test_files_are_replaced_whole_and_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "sds" / "default.json"
    secrets.write(path, secrets.roots(["A"]))
    first = path.stat().st_ino
    path.chmod(0o644)
    secrets.write(path, secrets.roots(["B"]))
    assert path.stat().st_ino != first, "renamed over, never written in place"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(path.read_text()) == secrets.roots(["B"])
    assert list(path.parent.iterdir()) == [path]
