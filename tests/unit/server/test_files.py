from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from mizzen.errors import MeshError
from mizzen.server import files

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def authority(state: Path) -> files.Authority:
    return files.authority(state, "cluster.local", now=NOW, lifetime=timedelta(days=10))


@pytest.mark.row("CR-05")
def test_the_root_is_made_once_and_only_its_certificate_is_for_everybody(tmp_path: Path) -> None:
    state = tmp_path / "new"
    made = authority(state)
    assert authority(state).roots_pem == made.roots_pem
    assert (state / "root-cert.pem").read_text() == made.roots_pem
    assert {p.name: oct(p.stat().st_mode & 0o777) for p in (state, *state.iterdir())} == {
        "new": "0o700",
        "ca.pem": "0o600",
        "root-cert.pem": "0o644",
    }


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----\nx", b"\xff\x00"])
def test_a_damaged_root_is_for_a_person_to_decide(tmp_path: Path, damage: bytes) -> None:
    authority(tmp_path)
    (tmp_path / "ca.pem").write_bytes(damage)
    with pytest.raises(MeshError):
        authority(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == damage


@pytest.mark.row("CR-06")
def test_the_servers_certificate_is_fresh_each_time_and_has_its_names(tmp_path: Path) -> None:
    found = authority(tmp_path)
    certificate, key = files.serving_certificate(tmp_path, found, ("istiod.istio-system.svc",), now=NOW)
    first = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["istiod.istio-system.svc"]
    assert b"PRIVATE KEY" in key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    files.serving_certificate(tmp_path, found, ("istiod.istio-system.svc",), now=NOW)
    assert x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number != first.serial_number


def test_a_file_is_replaced_with_its_mode_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old and longer")
    path.chmod(0o644)
    files.write(path, b"new", 0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
