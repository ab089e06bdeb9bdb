"""What is said of certificates that are of no use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.model.finding import Finding, Level
from mizzen.model.resources import SECRET, UNUSABLE_CREDENTIAL, Resource, ResourceSet
from mizzen.observe import Metrics
from mizzen.server.certificates import Certificates, fault_of
from tests.fakes.authorities import Ca

GOOD = Ca("good")
NOW = datetime.now(UTC)
ERRORS = b"pilot_sds_certificate_errors_total %s"


def pair(name: str, chain: str, key: str) -> Resource:
    message = secret_pb2.Secret(name=name)
    message.tls_certificate.certificate_chain.inline_bytes = chain.encode()
    message.tls_certificate.private_key.inline_bytes = key.encode()
    return Resource.of(SECRET, name, message.SerializeToString())


def roots(pem: str) -> Resource:
    message = secret_pb2.Secret(name="kubernetes://r-cacert")
    message.validation_context.trusted_ca.inline_bytes = pem.encode()
    return Resource.of(SECRET, message.name, message.SerializeToString())


@pytest.mark.row("CG-04")
def test_an_expired_certificate_and_expired_roots() -> None:
    good = pair("kubernetes://a", GOOD.pem, GOOD.key_pem)
    assert fault_of(good, NOW) == ""
    assert "expired at" in fault_of(good, NOW + timedelta(days=40))
    assert fault_of(roots(GOOD.pem), NOW) == ""
    assert "expired at" in fault_of(roots(GOOD.pem), NOW + timedelta(days=40))


def test_files_and_nothing_else_are_the_pods_own_affair() -> None:
    message = secret_pb2.Secret(name="file-cert:/a~/b")
    message.tls_certificate.certificate_chain.filename = "/a"
    assert fault_of(Resource.of(SECRET, message.name, message.SerializeToString()), NOW) == ""


@pytest.mark.row("CG-04")
def test_each_version_is_counted_once_and_told_as_long_as_it_is_there() -> None:
    metrics = Metrics()
    certificates = Certificates(metrics, lambda: NOW + timedelta(days=40))
    broken = ResourceSet.of([pair("kubernetes://a", GOOD.pem, GOOD.key_pem)])
    for _ in range(2):
        (finding,) = certificates.findings(broken, "edge")
        assert (finding.code, finding.kind, finding.namespace, finding.name) == (
            UNUSABLE_CREDENTIAL,
            "Secret",
            "edge",
            "a",
        )
        assert "PRIVATE" not in str(finding)
        assert ERRORS % b"1.0" in metrics.text()
    assert certificates.findings(ResourceSet(), "edge") == ()


@pytest.mark.row("CG-04")
def test_a_missing_secret_is_counted() -> None:
    metrics = Metrics()
    missing = Finding(code=UNUSABLE_CREDENTIAL, level=Level.WARNING, message="there is no Secret a")
    other = Finding(code="MZ0301", level=Level.ERROR, message="a patch")
    assert Certificates(metrics, lambda: NOW).findings(ResourceSet(findings=(missing, other)), "edge") == ()
    assert ERRORS % b"1.0" in metrics.text()
