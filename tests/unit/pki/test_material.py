"""Which files make a plugged-in CA."""

from __future__ import annotations

import pytest

from mizzen.errors import MeshError
from mizzen.pki import plugged_in
from tests.fakes.authorities import Ca, crl, files

ROOT = Ca("root")
BETWEEN = Ca("between", ROOT)
BELOW = Ca("below", BETWEEN)


def encoded(texts: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in texts.items()}


def deep() -> dict[str, str]:
    """A CA two levels below its root."""
    return files(BELOW, ROOT) | {"cert-chain.pem": BELOW.pem + BETWEEN.pem + ROOT.pem}


@pytest.mark.row("CR-02")
def test_istios_four_files() -> None:
    found = plugged_in(encoded(deep()))
    assert found.roots_pem == ROOT.pem
    assert "".join(found.intermediates_pem) == BELOW.pem + BETWEEN.pem
    for name in deep():
        with pytest.raises(MeshError, match=f"lacks {name}"):
            plugged_in(encoded({**deep(), name: " \n"}))


@pytest.mark.row("CR-02")
def test_the_layout_of_a_tls_secret() -> None:
    texts = {"tls.crt": BELOW.pem + BETWEEN.pem, "tls.key": BELOW.key_pem, "ca.crt": ROOT.pem}
    found = plugged_in(encoded(texts))
    assert found.roots_pem == ROOT.pem
    assert "".join(found.intermediates_pem) == BELOW.pem + BETWEEN.pem
    assert found.certificate == BELOW.certificate
    # It wins over the other layout, has no list of revoked certificates, and needs all of its three.
    other = files(Ca("other", ROOT), ROOT)
    assert plugged_in(encoded({**other, **texts, "ca-crl.pem": crl(ROOT)})).revoked == ""
    assert plugged_in(encoded({**other, **texts})).certificate == BELOW.certificate
    for name in ("tls.key", "ca.crt"):
        with pytest.raises(MeshError, match=f"lacks {name}"):
            plugged_in(encoded({**texts, name: ""}))


@pytest.mark.row("CR-02")
def test_a_chain_with_a_gap_a_foreign_key_or_a_leaf_is_refused() -> None:
    with pytest.raises(MeshError, match="does not chain"):
        plugged_in(encoded(deep() | {"cert-chain.pem": BELOW.pem}))
    with pytest.raises(MeshError, match="does not belong"):
        plugged_in(encoded(deep() | {"ca-key.pem": ROOT.key_pem}))
    with pytest.raises(MeshError, match="cannot be read"):
        plugged_in(encoded(deep() | {"root-cert.pem": "nonsense"}))


@pytest.mark.row("CR-10")
def test_every_ca_of_the_chain_needs_its_own_list() -> None:
    every = crl(ROOT) + crl(BETWEEN) + crl(BELOW)
    assert plugged_in(encoded(deep() | {"ca-crl.pem": every})).revoked == every
    with pytest.raises(MeshError, match="no list of CN=between"):
        plugged_in(encoded(deep() | {"ca-crl.pem": crl(ROOT) + crl(BELOW)}))
    forged = Ca("between")
    with pytest.raises(MeshError, match="no list of CN=between"):
        plugged_in(encoded(deep() | {"ca-crl.pem": crl(ROOT) + crl(forged) + crl(BELOW)}))
    with pytest.raises(MeshError, match="cannot be read"):
        plugged_in(encoded(deep() | {"ca-crl.pem": "nonsense"}))
    assert plugged_in(encoded(deep() | {"ca-crl.pem": "nonsense"}), revocation=False).revoked == ""
    assert plugged_in(encoded(deep())).revoked == ""
