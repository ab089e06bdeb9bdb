"""Certificates on request: one issuer behind Istio's gRPC service and the agents' HTTPS (rows CA-01 to CA-05, CA-11, CA-14)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from google.protobuf.message import DecodeError

from mizzen.errors import CsrRejected, SigningFailed, Unauthenticated
from mizzen.model.identity import Identity
from mizzen.observe import Metrics
from mizzen.pki import Authority, Issued, Lifetimes, public_key, sign_workload
from mizzen.proto.istio_ca import SERVICE, IstioCertificateRequest, IstioCertificateResponse
from mizzen.server.authenticate import Authenticator
from mizzen.server.limits import CERTIFICATES_AT_ONCE, CERTIFICATES_PER_SECOND, TooMany, Turns
from mizzen.server.transport import Call, Cardinality, GrpcError, Method, Status

log = logging.getLogger(__name__)

REQUEST_LIMIT = 128 * 1024
"""Bytes of one request."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Issuer:
    """``authority`` is replaced when the CA changes; what is issued next comes from the new one."""

    def __init__(
        self,
        authority: Authority,
        lifetimes: Lifetimes,
        authenticator: Authenticator,
        metrics: Metrics,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._authority = authority
        self._lifetimes = lifetimes
        self._authenticator = authenticator
        self._metrics = metrics
        self._now = now
        self._turns = Turns(CERTIFICATES_AT_ONCE, CERTIFICATES_PER_SECOND)
        self._expiry_metrics()

    @property
    def authority(self) -> Authority:
        return self._authority

    @authority.setter
    def authority(self, authority: Authority) -> None:
        self._authority = authority
        self._expiry_metrics()

    def _expiry_metrics(self) -> None:
        root = min(root.not_valid_after_utc for root in self.authority.roots)
        self._metrics.root_expiry.set(root.timestamp())
        self._metrics.root_expiry_seconds.set_function(lambda: (root - self._now()) / timedelta(seconds=1))
        if self.authority.intermediates_pem:
            links = (self.authority.certificate, *self.authority.chain)
            chain = min(link.not_valid_after_utc for link in links)
            self._metrics.chain_expiry().set(chain.timestamp())
            self._metrics.chain_expiry_seconds().set_function(lambda: (chain - self._now()) / timedelta(seconds=1))

    async def issue(
        self, certificate: Mapping[str, Any] | None, authorization: str, csr: str, seconds: int, address: str = ""
    ) -> Issued:
        """A certificate for whoever calls from ``address``. Raises Unauthenticated, TooMany, CsrRejected or SigningFailed."""
        self._metrics.csr_count.inc()
        try:
            caller = await self._authenticator.caller(certificate, authorization)
        except Unauthenticated:
            self._metrics.authentication_failures.inc()
            raise
        self._turns.take((caller.identity, caller.pod, address))
        return self._sign(caller.identity, csr, seconds)

    def _sign(self, identity: Identity, csr: str, seconds: int) -> Issued:
        kind = "CSR_ERROR"
        try:
            key = public_key(csr)
            kind = "TTL_ERROR"
            ttl = self._lifetimes.granted(seconds)
            kind = "CERT_GEN_ERROR"
            issued = sign_workload(
                self.authority, key, identity, ttl=ttl, now=self._now(), serial=x509.random_serial_number()
            )
        except (CsrRejected, SigningFailed):
            self._metrics.csr_errors.labels(kind).inc()
            raise
        self._metrics.issued.inc()
        return issued


class CertificateService:
    """``istio.v1.auth.IstioCertificateService`` (15012 only, row CA-02)."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def methods(self) -> list[Method]:
        return [Method(f"/{SERVICE}/CreateCertificate", self._create, Cardinality.UNARY_UNARY)]

    async def _create(self, call: Call) -> None:
        data = await call.receive(REQUEST_LIMIT)
        try:
            request = IstioCertificateRequest.FromString(data or b"")
        except DecodeError as error:
            raise GrpcError(Status.INVALID_ARGUMENT, "the message is no certificate request") from error
        try:
            issued = await self._issuer.issue(
                call.certificate,
                call.metadata.get("authorization", ""),
                request.csr,
                request.validity_duration,
                call.address,
            )
        except TooMany as error:
            log.warning("too many certificate requests from %s", call.address)
            raise GrpcError(Status.RESOURCE_EXHAUSTED, "too many certificate requests of one caller") from error
        except Unauthenticated as error:
            # The caller is told no more than that it failed (row CA-11).
            log.warning("certificate request from %s: %s", call.address, error)
            raise GrpcError(Status.UNAUTHENTICATED, "request authenticate failure") from error
        except CsrRejected as error:
            log.warning("certificate request from %s: %s", call.address, error.reason)
            raise GrpcError(Status.INVALID_ARGUMENT, error.reason) from error
        except SigningFailed as error:
            log.error("certificate request from %s: %s", call.address, error)
            raise GrpcError(Status.INTERNAL, "no certificate can be signed now") from error
        await call.send(IstioCertificateResponse(cert_chain=issued.cert_chain).SerializeToString())
