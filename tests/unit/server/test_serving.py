"""Which certificate the control plane's ports show."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mizzen.errors import MeshError
from mizzen.pki import Authority, SigningKey, self_signed
from mizzen.server.serving import Serving
from tests.fakes.authorities import Ca

NAMES = ("istiod.istio-system.svc",)


def authority(key: SigningKey | None = None) -> Authority:
    return self_signed(key or ec.generate_private_key(ec.SECP256R1()), "td", now=datetime.now(UTC), serial=1)


def shown(context: ssl.SSLContext) -> x509.Certificate:
    """The certificate that a client sees."""
    ours, theirs = socket.socketpair()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE

    def serve() -> None:
        with context.wrap_socket(theirs, server_side=True):
            pass

    serving = threading.Thread(target=serve)
    serving.start()
    with client.wrap_socket(ours) as connection:
        found = connection.getpeercert(binary_form=True)
    serving.join()
    assert found
    return x509.load_der_x509_certificate(found)


@pytest.mark.row("CR-06")
def test_the_certificate_follows_the_authority(tmp_path: Path) -> None:
    one, two = authority(), authority()
    serving = Serving(tmp_path, one, NAMES)
    context = serving.context("h2")
    first = shown(context)
    first.verify_directly_issued_by(one.certificate)
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(NAMES)
    serving.follow(two)
    shown(context).verify_directly_issued_by(two.certificate)


@pytest.mark.row("CA-10")
def test_the_kind_of_key_is_that_of_the_authority(tmp_path: Path) -> None:
    assert isinstance(
        shown(Serving(tmp_path, authority(), NAMES).context("h2")).public_key(), ec.EllipticCurvePublicKey
    )
    old = authority(rsa.generate_private_key(65537, 2048))
    key = shown(Serving(tmp_path, old, NAMES).context("h2")).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048


def put(directory: Path, ca: Ca, key: Ca | None = None) -> tuple[Path, Path]:
    """Files replaced by one rename each, as whoever renews them does it."""
    for name, text in (("tls.crt", ca.pem), ("tls.key", (key or ca).key_pem)):
        (directory / f"{name}.new").write_text(text)
        os.rename(directory / f"{name}.new", directory / name)
    return directory / "tls.crt", directory / "tls.key"


@pytest.mark.row("CR-06")
def test_given_files_win_and_replaced_ones_are_taken_over(tmp_path: Path) -> None:
    one, two = Ca("one"), Ca("two")
    own = authority()
    serving = Serving(tmp_path, own, NAMES, put(tmp_path, one))
    context = serving.context("h2")
    assert shown(context) == one.certificate
    serving.follow(authority())
    assert shown(context) == one.certificate
    put(tmp_path, two)
    serving.look()
    assert shown(context) == two.certificate
    put(tmp_path, one, key=two)
    serving.look()
    assert shown(context) == two.certificate, "a key of another certificate"


@pytest.mark.row("CR-06")
def test_given_files_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="cannot be served"):
        Serving(tmp_path, authority(), NAMES, (tmp_path / "none.crt", tmp_path / "none.key"))
