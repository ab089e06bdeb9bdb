"""What is wrong with the secrets that proxies are to have, for findings, metric and log (row CG-04).

What Envoy could not load was left out by the translation; what has expired is sent all the same, as in Istio.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from cryptography import x509
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
        """Which secrets among ``made``, the resources of proxies in ``namespace``, have expired. What is missing or cannot
        be used is told by ``made`` itself; it is counted here."""
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
    """What is wrong with a served secret by now, empty when nothing is. Never quotes what is in it."""
    message = secret_pb2.Secret.FromString(resource.body)
    pem = message.tls_certificate.certificate_chain.inline_bytes or message.validation_context.trusted_ca.inline_bytes
    return _expired(x509.load_pem_x509_certificate(pem), now) if pem else ""


def _expired(certificate: x509.Certificate, now: datetime) -> str:
    if certificate.not_valid_after_utc > now:
        return ""
    return f"the certificate expired at {certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"


def _about(namespace: str, name: str, fault: str) -> Finding:
    """A finding about the Secret or ConfigMap behind a resource's name (row CG-01)."""
    kind, _, rest = name.partition("://")
    of, slash, base = rest.rpartition("/")
    return Finding(
        code=UNUSABLE_CREDENTIAL,
        level=Level.WARNING,
        message=f"{name}: {fault}",
        kind="ConfigMap" if kind == "configmap" else "Secret",
        namespace=of if slash else namespace,
        name=base,
    )
