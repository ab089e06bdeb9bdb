"""The CA in use: self-signed or plugged in, and exchanged while the control plane runs (rows CR-01 to CR-03, CR-06)."""

from __future__ import annotations

import binascii
import logging
import ssl
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

from mizzen.api.meta import Object
from mizzen.errors import MeshError
from mizzen.model.config import Config
from mizzen.pki import Authority, load
from mizzen.server import files
from mizzen.server.ca import utc_now
from mizzen.server.transport import server_context, switched
from mizzen.settings import Settings

log = logging.getLogger(__name__)

CACERTS = "cacerts"
_FILES = ("ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem")


class Trust:
    """``authority`` signs. ``names`` are those of the control plane's own certificate, which follows the authority."""

    def __init__(self, state: Path, settings: Settings, config: Config, names: Sequence[str]) -> None:
        """Raises MeshError when there is a Secret ``cacerts`` that cannot be used, or the CA on disk is damaged."""
        self._state = state
        self._settings = settings
        self._names = tuple(names)
        self._seen = _secret(settings, config)
        self.authority = (
            plugged(self._seen)
            if self._seen is not None
            else files.authority(
                state, config.mesh.trust_domain, now=utc_now(), lifetime=settings.self_signed_ca_cert_ttl
            )
        )
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._serve()

    def context(self, protocol: str) -> ssl.SSLContext:
        """TLS of a server that speaks ``protocol`` (ALPN); new connections follow the authority."""
        self._contexts[protocol] = self._context(protocol)
        return switched(self._context(protocol), lambda: self._contexts[protocol])

    def look(self, config: Config) -> bool:
        """Take over a changed Secret ``cacerts``; True when there is a new authority.

        What cannot be used, or would make peers strangers to each other, is refused with a line in the log, and the
        authority stays. That holds for roots that neither include the present ones nor are among them: certificates
        of both kinds are in use for a while, and each side must know the other's root.
        """
        secret = _secret(self._settings, config)
        if secret is self._seen:
            return False
        self._seen = secret
        if secret is None:
            log.warning("Secret %s is gone; its CA stays in use until a restart", CACERTS)
            return False
        try:
            found = plugged(secret)
        except MeshError as error:
            log.error("Secret %s cannot be used, the CA stays as it is: %s", CACERTS, error)
            return False
        return self._replace(found)

    def _replace(self, found: Authority) -> bool:
        old, new = set(self.authority.roots), set(found.roots)
        if not (old <= new or new <= old):
            log.warning(
                "the roots of Secret %s have no link to those in use; put both into root-cert.pem first, "
                "or restart the control plane to cut over",
                CACERTS,
            )
            return False
        if (found.certificate, found.chain, found.roots) == (
            self.authority.certificate,
            self.authority.chain,
            self.authority.roots,
        ):
            return False
        self.authority = found
        self._serve()
        log.info(
            "the CA was exchanged; it ends at %s and has %d roots", found.certificate.not_valid_after_utc, len(new)
        )
        return True

    def _serve(self) -> None:
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(self._state / files.ROOT, self.authority.roots_pem.encode(), 0o644)
        files.serving_certificate(self._state, self.authority, self._names, now=utc_now())
        for protocol in self._contexts:
            self._contexts[protocol] = self._context(protocol)

    def _context(self, protocol: str) -> ssl.SSLContext:
        certificate, key = self._state / files.SERVER_CERTIFICATE, self._state / files.SERVER_KEY
        return server_context(str(certificate), str(key), self.authority.roots_pem, [protocol])


def plugged(secret: Object) -> Authority:
    """The CA of Secret ``cacerts`` (row CR-02). Raises MeshError when a file is missing or they do not fit together."""
    texts = {key: text.encode() for key, text in secret.body.string_data.items()}
    try:
        texts |= {key: b64decode(value) for key, value in secret.body.data.items() if key not in texts}
    except binascii.Error as error:
        raise MeshError(f"Secret {secret.meta.namespace}/{CACERTS} is not base64: {error}") from error
    missing = [name for name in _FILES if not texts.get(name, b"").strip()]
    if missing:
        raise MeshError(f"Secret {secret.meta.namespace}/{CACERTS} lacks {', '.join(missing)}")
    return load(texts["ca-cert.pem"], texts["ca-key.pem"], texts["root-cert.pem"], texts["cert-chain.pem"])


def _secret(settings: Settings, config: Config) -> Object | None:
    found: Object | None = config.of("Secret").get((settings.namespace, CACERTS))
    return found
