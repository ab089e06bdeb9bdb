"""Rows AG-04, CW-01, CW-03, CW-04: renewal and the secret files."""

import base64
import json
import random
import stat

import pytest
from cryptography import x509

from mizzen.agent import certificate, secrets
from mizzen.agent.certificate import NoCertificate, Rotation, reachable, retry
from mizzen.agent.keypair import key_and_csr
from mizzen.agent.settings import Settings


@pytest.mark.row("CW-03")
def test_renewal_is_at_half_the_lifetime_give_or_take_a_hundredth():
    rotation = Rotation(Settings(), lambda _: None)
    waits = [rotation._wait(1000.0) for _ in range(200)]
    assert 489.9 <= min(waits) < max(waits) <= 510.1


@pytest.mark.row("CW-04")
async def test_failures_are_tried_again_more_slowly(monkeypatch):
    waits, left = [], [3]

    async def sleep(seconds):
        waits.append(seconds)

    async def attempt():
        left[0] -= 1
        if left[0]:
            raise NoCertificate("not now")

    monkeypatch.setattr(certificate.asyncio, "sleep", sleep)
    told = []
    await retry(attempt, told.append, random.Random(1))
    assert len(told) == len(waits) == 2
    assert 0.1 <= waits[0] <= 0.3
    assert 0.2 <= waits[1] <= 0.6


async def test_an_unreachable_control_plane_is_named():
    with pytest.raises(NoCertificate, match=r"127\.0\.0\.1:1 cannot be reached"):
        await reachable("https://127.0.0.1:1/agent/v1/certificate")


@pytest.mark.row("AG-04")
def test_the_csr_has_the_identity_and_its_own_key():
    key, csr = key_and_csr("spiffe://cluster.local/ns/shop/sa/web")
    request = x509.load_pem_x509_csr(csr.encode())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://cluster.local/ns/shop/sa/web"]
    assert request.is_signature_valid
    assert "BEGIN PRIVATE KEY" in key
    assert "PRIVATE" not in csr


def test_secret_files_are_whole_answers_for_their_owner_alone(tmp_path):
    path = tmp_path / "sds" / "default.json"
    secrets.write(path, secrets.certificate(["leaf\n", "between\n"], "key"))
    secrets.write(path, secrets.certificate(["leaf2\n"], "key2"))
    (resource,) = json.loads(path.read_text())["resources"]
    assert resource["name"] == "default"
    assert base64.b64decode(resource["tls_certificate"]["certificate_chain"]["inline_bytes"]) == b"leaf2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["default.json"]


@pytest.mark.row("CW-01", "VM-05")
def test_certificates_are_written_to_a_directory_as_well_where_that_is_asked_for(tmp_path):
    answer = {"cert_chain": ["leaf\n", "between\n"], "key": "key\n", "roots": ["root\n"]}
    Rotation(Settings(), pytest.fail)._write_out(answer)
    Rotation(Settings(output_path=tmp_path / "certs"), pytest.fail)._write_out(answer)
    found = {
        path.name: (path.read_text(), stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "certs").iterdir()
    }
    assert found == {
        "cert-chain.pem": ("leaf\nbetween\n", 0o600),
        "key.pem": ("key\n", 0o600),
        "root-cert.pem": ("root\n", 0o600),
    }
    told = []
    (tmp_path / "file").touch()
    Rotation(Settings(output_path=tmp_path / "file"), told.append)._write_out(answer)
    assert "cannot be written" in told[0]
    assert "key\n" not in told[0]
