"""What a certificate says, and which files make an authority."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from mizzen.errors import MeshError, SigningFailed
from mizzen.model.identity import Identity
from mizzen.pki import (
    Authority,
    Issued,
    fingerprint,
    load,
    renewal_due,
    renewed,
    self_signed,
    server_names,
    sign_server,
    sign_workload,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEB = Identity("td", "shop", "web")
KEY = ec.generate_private_key(ec.SECP256R1())
ROOT = self_signed(KEY, "td", now=NOW, serial=1)
PEM = serialization.Encoding.PEM
KEY_PEM = KEY.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
ROOT_PEM = ROOT.certificate.public_bytes(PEM)


def workload(authority: Authority = ROOT, ttl: timedelta = timedelta(hours=1), now: datetime = NOW) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return sign_workload(authority, key, WEB, ttl=ttl, now=now, serial=7)


def leaf(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.cert_chain[0].encode())


@pytest.mark.row("CA-08", "CA-09")
def test_a_workload_is_named_by_one_critical_uri_and_nothing_else() -> None:
    certificate = leaf(workload())
    assert not list(certificate.subject)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    assert list(names.value) == [x509.UniformResourceIdentifier("spiffe://td/ns/shop/sa/web")]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, True, False)
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(extended) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert certificate.not_valid_before_utc == NOW - timedelta(minutes=2)
    assert certificate.not_valid_after_utc == NOW + timedelta(hours=1)
    certificate.verify_directly_issued_by(ROOT.certificate)


@pytest.mark.row("CA-09")
def test_no_certificate_outlives_its_issuer_and_an_expired_issuer_refuses() -> None:
    young = self_signed(KEY, "td", now=NOW, serial=1, lifetime=timedelta(minutes=30))
    assert workload(young).not_after == NOW + timedelta(minutes=30)
    with pytest.raises(SigningFailed, match="expired"):
        workload(young, now=NOW + timedelta(minutes=30))


@pytest.mark.row("CA-01")
def test_the_chain_is_leaf_intermediates_roots_one_text_each() -> None:
    assert [text.count("BEGIN CERTIFICATE") for text in workload().cert_chain] == [1, 1]
    key, serial = ec.generate_private_key(ec.SECP256R1()), 2
    middle = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ROOT.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(KEY, ROOT.certificate.signature_hash_algorithm)
    )
    other = self_signed(ec.generate_private_key(ec.SECP256R1()), "other", now=NOW, serial=3)
    key_pem = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    roots = ROOT_PEM + other.certificate.public_bytes(PEM)
    issued = workload(load(middle.public_bytes(PEM), key_pem, roots, middle.public_bytes(PEM)))
    assert [text.count("BEGIN CERTIFICATE") for text in issued.cert_chain] == [1, 1, 2]
    assert issued.leaf_and_intermediates[1] == middle.public_bytes(PEM).decode()
    assert all(text.endswith("\n") for text in issued.cert_chain)


def test_files_that_do_not_belong_together() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    other_pem = other.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    stranger = self_signed(other, "other", now=NOW, serial=4).certificate.public_bytes(PEM)
    for arguments, message in (
        ((ROOT_PEM, other_pem, ROOT_PEM), "does not belong"),
        ((ROOT_PEM, KEY_PEM, stranger), "does not chain"),
        ((workload().cert_chain[0].encode(), KEY_PEM, ROOT_PEM), "does not belong"),
        ((b"nonsense", KEY_PEM, ROOT_PEM), "cannot be read"),
    ):
        with pytest.raises(MeshError, match=message):
            load(*arguments)
    assert load(ROOT_PEM, KEY_PEM, ROOT_PEM).certificate == ROOT.certificate


@pytest.mark.row("CR-06", "PO-13")
def test_the_control_planes_names() -> None:
    names = server_names("istio-system", "canary", ["istiod.example"], ["10.0.0.1"])
    hosts = ["istiod", "istiod-remote", "istio-pilot", "istiod-canary"]
    assert list(names) == [*(f"{h}.istio-system.svc" for h in hosts), "istiod.example", "10.0.0.1"]
    assert "istiod-default.istio-system.svc" not in server_names("istio-system", "default")
    certificate = leaf(sign_server(ROOT, KEY.public_key(), names, now=NOW, serial=5))
    san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == list(names[:-1])
    assert [str(address) for address in san.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert certificate.not_valid_after_utc <= ROOT.certificate.not_valid_after_utc


@pytest.mark.row("CR-01")
def test_a_root_of_ten_years_named_after_the_trust_domain() -> None:
    certificate = ROOT.certificate
    assert certificate.subject.rfc4514_string() == "O=td"
    assert certificate.not_valid_after_utc == NOW + timedelta(days=3650)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert "PRIVATE" not in repr(ROOT)
    assert "key" not in repr(ROOT).partition("certificate=")[0]


def test_a_fingerprint_tells_bundles_apart() -> None:
    assert fingerprint("a") != fingerprint("b")
    assert fingerprint("a") == fingerprint("a")


@pytest.mark.row("CR-04")
def test_a_renewed_root_has_the_same_key_and_name_so_that_old_leaves_verify() -> None:
    old = self_signed(KEY, "td", now=NOW, serial=1, lifetime=timedelta(days=10))
    due = [renewal_due(old, now=NOW + timedelta(days=days), grace_percent=20) for days in (0, 7, 9, 11)]
    assert due == [False, False, True, True]
    later = NOW + timedelta(days=9)
    new = renewed(old, now=later, serial=2, lifetime=timedelta(days=10))
    assert new.certificate.not_valid_after_utc == later + timedelta(days=10)
    assert new.certificate.subject == old.certificate.subject
    leaf(workload(old)).verify_directly_issued_by(new.certificate)
    leaf(workload(new, now=later)).verify_directly_issued_by(old.certificate)


@pytest.mark.row("CR-08")
def test_roots_of_other_meshes_are_for_workloads_and_not_for_the_authority() -> None:
    other = self_signed(ec.generate_private_key(ec.SECP256R1()), "other", now=NOW, serial=3)
    both = replace(ROOT, others=other.roots)
    assert both.roots_pem == ROOT.roots_pem + other.roots_pem
    assert both.own_roots_pem == ROOT.roots_pem
    assert workload(both).roots == both.roots_pem
    assert workload(both).leaf_and_intermediates[1:] == ()
