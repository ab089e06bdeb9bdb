"""Rows CA-01, CA-08, CA-09, CR-01, CR-02: authorities and what they sign."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.errors import CsrRejected, MeshError
from mizzen.model.identity import Identity
from mizzen.pki import load, self_signed, server_names, sign_server, sign_workload
from tests.fakes.authorities import Ca, files

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
WEB = Identity("cluster.local", "shop", "web")


@pytest.mark.row("CA-08", "CA-09", "CR-01")
def test_a_workload_certificate_says_who_it_is_and_nothing_else() -> None:
    root = self_signed(KEY, "cluster.local", now=NOW, serial=1)
    issued = sign_workload(root, KEY.public_key(), WEB, ttl=timedelta(hours=1), now=NOW, serial=2)
    leaf = x509.load_pem_x509_certificate(issued.cert_chain[0].encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    assert [name.value for name in names.value] == ["spiffe://cluster.local/ns/shop/sa/web"]
    assert len(leaf.subject.rdns) == 0
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.not_valid_before_utc == NOW - timedelta(minutes=2)
    assert leaf.not_valid_after_utc == issued.not_after == NOW + timedelta(hours=1)
    assert issued.leaf_and_intermediates == issued.cert_chain[:1]
    assert issued.roots == root.roots_pem


@pytest.mark.row("CA-09")
def test_nothing_outlives_its_issuer_and_an_expired_issuer_signs_nothing() -> None:
    root = self_signed(KEY, "x", now=NOW, serial=1, lifetime=timedelta(minutes=5))
    issued = sign_workload(root, KEY.public_key(), WEB, ttl=timedelta(hours=1), now=NOW, serial=2)
    assert issued.not_after == NOW + timedelta(minutes=5)
    with pytest.raises(CsrRejected, match="expired"):
        sign_workload(root, KEY.public_key(), WEB, ttl=timedelta(hours=1), now=NOW + timedelta(minutes=5), serial=3)


@pytest.mark.row("CR-02", "CA-01")
def test_a_plugged_in_authority_shows_its_intermediate_and_all_roots() -> None:
    root, other = Ca("root"), Ca("other")
    between = Ca("between", root)
    texts = {name: text.encode() for name, text in files(between, root, [root, other]).items()}
    found = load(texts["ca-cert.pem"], texts["ca-key.pem"], texts["root-cert.pem"], texts["cert-chain.pem"])
    now = datetime.now(UTC)
    chain = sign_workload(found, KEY.public_key(), WEB, ttl=timedelta(hours=1), now=now, serial=2).cert_chain
    assert list(chain[1:]) == [between.pem, root.pem + other.pem]
    assert "PRIVATE" not in repr(found)


@pytest.mark.row("CR-02")
def test_files_that_do_not_belong_together_are_refused() -> None:
    root, stranger = Ca("root"), Ca("stranger")
    between = Ca("between", root)

    def refused(ca: str, key: str, roots: str) -> str:
        with pytest.raises(MeshError) as caught:
            load(ca.encode(), key.encode(), roots.encode())
        return str(caught.value)

    assert "does not belong" in refused(between.pem, root.key_pem, root.pem)
    assert "does not chain" in refused(between.pem, between.key_pem, stranger.pem)
    assert "cannot be read" in refused("x", between.key_pem, root.pem)
    now = datetime.now(UTC)
    own = self_signed(root.key, "x", now=now, serial=1)
    leaf = sign_server(own, KEY.public_key(), ["a"], now=now, serial=2).cert_chain[0]
    assert "not one of a certificate authority" in refused(leaf, key_of(), root.pem)


def key_of() -> str:
    from mizzen.server.files import key_pem

    return key_pem(KEY).decode()


@pytest.mark.row("PO-13", "CR-06")
def test_the_control_planes_names() -> None:
    assert server_names("istio-system", "default", ["mine"], ["10.0.0.1"]) == (
        "istiod.istio-system.svc",
        "istiod-remote.istio-system.svc",
        "istio-pilot.istio-system.svc",
        "mine",
        "10.0.0.1",
    )
    assert "istiod-canary.x.svc" in server_names("x", "canary")
