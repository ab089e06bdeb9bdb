"""The CA in use: self-signed or plugged in, and exchanged while the control plane runs (rows CR-01 to CR-04, CR-08, CR-10)."""

from __future__ import annotations

import logging
from base64 import b64decode
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from mizzen.api.meta import Object
from mizzen.errors import MeshError
from mizzen.model.config import Config
from mizzen.pki import Authority, plugged_in, renewal_due, renewed
from mizzen.server import files
from mizzen.server.ca import utc_now
from mizzen.settings import Settings

log = logging.getLogger(__name__)

CACERTS = "cacerts"


class Trust:
    """``authority`` signs. What workloads trust lies beside it as files, which every namespace's ConfigMap follows."""

    def __init__(self, state: Path, settings: Settings, config: Config) -> None:
        """Raises MeshError when there is a Secret ``cacerts`` that cannot be used, or the CA on disk is damaged."""
        self._state = state
        self._settings = settings
        self._seen = _secret(settings, config)
        self._plugged = self._seen is not None
        self._others = config.mesh.ca_certificates
        own = (
            plugged(self._seen, revocation=settings.revocation)
            if self._seen is not None
            else files.authority(
                state, config.mesh.trust_domain, now=utc_now(), lifetime=settings.self_signed_ca_cert_ttl
            )
        )
        self.authority = self._with_others(own)
        self._write()

    def look(self, config: Config) -> bool:
        """Take over a changed Secret ``cacerts`` and changed roots of other meshes; True when there is a new authority."""
        changed = self._look_at_secret(config)
        if config.mesh.ca_certificates != self._others:
            self._others = config.mesh.ca_certificates
            changed = self._take(self._with_others(self.authority)) or changed
        return changed

    def renew(self, now: datetime) -> bool:
        """Renew a self-signed root of whose life too little is left (row CR-04); True when there is a new one."""
        if self._plugged or not renewal_due(self.authority, now=now, grace_percent=self._settings.root_grace):
            return False
        found = renewed(
            self.authority, now=now, serial=x509.random_serial_number(), lifetime=self._settings.self_signed_ca_cert_ttl
        )
        files.keep(self._state, found)
        return self._take(self._with_others(found))

    def _look_at_secret(self, config: Config) -> bool:
        """What cannot be used, or would make peers strangers to each other, is refused with a line in the log, and the
        authority stays. That holds for roots that neither include the present ones nor are among them: certificates of
        both kinds are in use for a while, and each side must know the other's root."""
        secret = _secret(self._settings, config)
        if secret is self._seen:
            return False
        self._seen = secret
        if secret is None:
            log.warning("Secret %s is gone; its CA stays in use until a restart", CACERTS)
            return False
        try:
            found = plugged(secret, revocation=self._settings.revocation)
        except MeshError as error:
            log.error("Secret %s cannot be used, the CA stays as it is: %s", CACERTS, error)
            return False
        old, new = set(self.authority.roots), set(found.roots)
        if not (old <= new or new <= old):
            log.warning(
                "the roots of Secret %s have no link to those in use; put both into root-cert.pem first, "
                "or restart the control plane to cut over",
                CACERTS,
            )
            return False
        self._plugged = True
        return self._take(self._with_others(found))

    def _take(self, found: Authority) -> bool:
        if _facts(found) == _facts(self.authority):
            return False
        self.authority = found
        self._write()
        log.info(
            "the CA was exchanged; it ends at %s and has %d roots",
            found.certificate.not_valid_after_utc,
            len(found.roots),
        )
        return True

    def _write(self) -> None:
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(self._state / files.ROOT, self.authority.roots_pem.encode(), 0o644)
        files.write(self._state / files.REVOKED, self.authority.revoked.encode(), 0o644)

    def _with_others(self, authority: Authority) -> Authority:
        """With the roots of ``meshConfig.caCertificates``, if ISTIO_MULTIROOT_MESH lets workloads trust these (row CR-08)."""
        found: list[x509.Certificate] = []
        for entry in self._others if self._settings.multiroot else ():
            if entry.get("spiffeBundleUrl"):
                log.warning("meshConfig.caCertificates: bundles are not fetched; write them as pem")
            try:
                found += x509.load_pem_x509_certificates(str(entry.get("pem") or "").encode())
            except ValueError as error:
                log.error("an entry of meshConfig.caCertificates has no certificate in PEM form: %s", error)
        return replace(authority, others=tuple(found))


def plugged(secret: Object, *, revocation: bool = True) -> Authority:
    """The CA of Secret ``cacerts`` (row CR-02). Raises MeshError when a file is missing or they do not fit together."""
    where = f"Secret {secret.meta.namespace}/{CACERTS}"
    try:
        texts = {key: text.encode() for key, text in secret.body.string_data.items()}
        texts |= {key: b64decode(value) for key, value in secret.body.data.items() if key not in texts}
    except ValueError as error:
        raise MeshError(f"{where} is not base64: {error}") from error
    try:
        return plugged_in(texts, revocation=revocation)
    except MeshError as error:
        raise MeshError(f"{where}: {error}") from error


def _facts(authority: Authority) -> tuple[Any, ...]:
    """What tells two authorities apart for those who look at them."""
    return (authority.certificate, authority.chain, authority.roots, authority.others, authority.revoked)


def _secret(settings: Settings, config: Config) -> Object | None:
    found: Object | None = config.of("Secret").get((settings.namespace, CACERTS))
    return found
