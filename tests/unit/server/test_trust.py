"""The CA in use and what may replace it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from msgspec import structs

from mizzen.api.kubernetes import Secret
from mizzen.errors import MeshError
from mizzen.model.config import Config
from mizzen.server import files as kept
from mizzen.server.trust import Trust
from mizzen.settings import Settings
from tests.fakes.authorities import Ca, cacerts, crl, files

ROOT = Ca("root")
BELOW = Ca("below", ROOT)
NOW = datetime.now(UTC)


def config(*secrets: dict[str, str]) -> Config:
    return Config().with_objects([cacerts(data) for data in secrets])


@pytest.mark.row("CR-02")
def test_the_layout_of_a_tls_secret_is_taken(tmp_path: Path) -> None:
    texts = {"tls.crt": BELOW.pem, "tls.key": BELOW.key_pem, "ca.crt": ROOT.pem}
    found = Trust(tmp_path, Settings(), config(texts)).authority
    assert (found.roots_pem, found.intermediates_pem) == (ROOT.pem, (BELOW.pem,))
    with pytest.raises(MeshError, match=r"cacerts: lacks tls\.key"):
        Trust(tmp_path, Settings(), config(texts | {"tls.key": ""}))


@pytest.mark.row("CR-03")
@pytest.mark.parametrize("text", ["%", "YQ=\n=", "ü"])
def test_a_secret_that_is_no_base64_leaves_the_ca_in_use(tmp_path: Path, text: str) -> None:
    trust = Trust(tmp_path, Settings(), Config())
    before, good = trust.authority, cacerts({})
    bad = structs.replace(good, body=Secret(data={"ca-cert.pem": text}))
    assert not trust.look(Config().with_objects([bad]))
    assert trust.authority is before


@pytest.mark.row("CR-10")
def test_lists_of_revoked_certificates_lie_beside_the_roots_and_follow_the_secret(tmp_path: Path) -> None:
    lists = crl(ROOT) + crl(BELOW)
    trust = Trust(tmp_path, Settings(), config(files(BELOW, ROOT)))
    assert (tmp_path / kept.REVOKED).read_text() == ""
    assert trust.look(config(files(BELOW, ROOT) | {"ca-crl.pem": lists}))
    assert (tmp_path / kept.REVOKED).read_text() == lists
    assert not trust.look(config(files(BELOW, ROOT) | {"ca-crl.pem": crl(ROOT)})), "one list is missing"
    assert (tmp_path / kept.REVOKED).read_text() == lists
    off = Trust(tmp_path, Settings(revocation=False), config(files(BELOW, ROOT) | {"ca-crl.pem": lists}))
    assert off.authority.revoked == ""


@pytest.mark.row("CR-04")
def test_a_self_signed_root_is_renewed_in_time_and_kept(tmp_path: Path) -> None:
    settings = Settings(self_signed_ca_cert_ttl=timedelta(days=10))
    trust = Trust(tmp_path, settings, config())
    first = trust.authority
    assert not trust.renew(NOW + timedelta(days=7))
    assert trust.renew(NOW + timedelta(days=9))
    assert trust.authority.certificate.public_key() == first.certificate.public_key()
    assert trust.authority.certificate.not_valid_after_utc > first.certificate.not_valid_after_utc
    assert (tmp_path / kept.ROOT).read_text() == trust.authority.roots_pem
    assert Trust(tmp_path, settings, config()).authority.certificate == trust.authority.certificate


@pytest.mark.row("CR-04")
def test_a_plugged_in_ca_is_never_renewed_by_us(tmp_path: Path) -> None:
    trust = Trust(tmp_path, Settings(), config(files(BELOW, ROOT)))
    assert not trust.renew(NOW + timedelta(days=29))
    assert not trust.look(config())
    assert not trust.renew(NOW + timedelta(days=29)), "also when its Secret is gone"
    assert trust.authority.certificate == BELOW.certificate


@pytest.mark.row("CR-08")
def test_workloads_trust_the_roots_of_other_meshes_only_when_that_is_asked_for(tmp_path: Path) -> None:
    other = Ca("other")
    base = config(files(BELOW, ROOT))

    def with_others(*pems: str) -> Config:
        return replace(base, mesh=structs.replace(base.mesh, ca_certificates=tuple({"pem": pem} for pem in pems)))

    assert Trust(tmp_path, Settings(), with_others(other.pem)).authority.roots_pem == ROOT.pem
    trust = Trust(tmp_path, Settings(multiroot=True), with_others(other.pem))
    assert (tmp_path / kept.ROOT).read_text() == ROOT.pem + other.pem
    assert trust.authority.own_roots_pem == ROOT.pem, "who asks for a certificate must be of this mesh"
    assert not trust.look(with_others(other.pem))
    assert trust.look(with_others())
    assert (tmp_path / kept.ROOT).read_text() == ROOT.pem
    assert not trust.look(with_others("nonsense")), "told in the log, and nothing else"


def test_a_root_and_its_successor_are_both_certificates(tmp_path: Path) -> None:
    Trust(tmp_path, Settings(), config())
    assert x509.load_pem_x509_certificates((tmp_path / kept.ROOT).read_bytes())
    assert (tmp_path / "ca.pem").stat().st_mode & 0o777 == 0o600
