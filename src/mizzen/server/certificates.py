"""Whether certificates from users' Secrets are of any use (row CG-04). They are sent all the same: Envoy refuses what it
cannot use and keeps what it has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.model.finding import Finding, Level
from mizzen.model.resources import SECRET, UNUSABLE_CREDENTIAL, Resource, ResourceSet
from mizzen.observe import Metrics

log = logging.getLogger(__name__)

_KEPT = 4096


class Certificates:
    """Judges each version of a secret once; the log and the metric tell of it then."""

    def __init__(self, metrics: Metrics, now: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._now = now
        self._faults: dict[tuple[str, str], str] = {}

    def findings(self, made: ResourceSet, namespace: str) -> tuple[Finding, ...]:
        """What is wrong with the secrets among ``made``, the resources of proxies in ``namespace``: missing, not
        readable, expired, or with a key of another certificate."""
        missing = [finding for finding in made.findings if finding.code == UNUSABLE_CREDENTIAL]
        self._metrics.secret_errors.inc(len(missing))
        judged = ((resource, self._judge(resource)) for resource in made.get(SECRET).values())
        return tuple(_about(namespace, resource.name, fault) for resource, fault in judged if fault)

    def _judge(self, resource: Resource) -> str:
        key = (resource.name, resource.version)
        if key not in self._faults:
            if len(self._faults) >= _KEPT:
                self._faults.clear()
            fault = self._faults[key] = fault_of(resource, self._now())
            if fault:
                self._metrics.secret_errors.inc()
                log.warning("%s: %s", resource.name, fault)
        return self._faults[key]


def fault_of(resource: Resource, now: datetime) -> str:
    """What is wrong with a served secret, empty when nothing is. Never quotes what is in it."""
    message = secret_pb2.Secret.FromString(resource.body)
    if message.WhichOneof("type") == "validation_context":
        trusted = message.validation_context.trusted_ca
        return _roots_fault(trusted.inline_bytes, now) if trusted.inline_bytes else ""
    held = message.tls_certificate
    if not held.certificate_chain.inline_bytes:
        return ""
    return _pair_fault(held.certificate_chain.inline_bytes, held.private_key.inline_bytes, now)


def _roots_fault(pem: bytes, now: datetime) -> str:
    try:
        roots = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return "the roots cannot be read as PEM"
    return _expired(roots[:1], now)


def _pair_fault(chain: bytes, key: bytes, now: datetime) -> str:
    try:
        leaf = x509.load_pem_x509_certificate(chain)
    except ValueError:
        return "the certificate cannot be read as PEM"
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "the key cannot be read as PEM, or is encrypted"
    if private.public_key() != leaf.public_key():
        return "the key is not that of the certificate"
    return _expired([leaf], now)


def _expired(certificates: Iterable[x509.Certificate], now: datetime) -> str:
    for certificate in certificates:
        if certificate.not_valid_after_utc <= now:
            return f"the certificate expired at {certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    return ""


def _about(namespace: str, name: str, fault: str) -> Finding:
    """A finding about the Secret or ConfigMap behind a resource's name (row CG-01)."""
    kind, _, rest = name.partition("://")
    of, slash, base = rest.rpartition("/")
    return Finding(
        code=UNUSABLE_CREDENTIAL,
        level=Level.WARNING,
        message=f"{name}: {fault}; proxies refuse it and keep what they have",
        kind="ConfigMap" if kind == "configmap" else "Secret",
        namespace=of if slash else namespace,
        name=base,
    )
