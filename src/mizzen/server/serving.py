"""The control plane's own certificate: signed by its authority, or from files that somebody else renews (row CR-06)."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from pathlib import Path

from mizzen.errors import MeshError
from mizzen.pki import Authority
from mizzen.server import files
from mizzen.server.ca import utc_now
from mizzen.server.transport import server_context, switched

log = logging.getLogger(__name__)


class Serving:
    """TLS of the control plane's ports. ``given`` are a certificate chain and a key in PEM files, else they are made."""

    def __init__(
        self, state: Path, authority: Authority, names: Sequence[str], given: tuple[Path, Path] | None = None
    ) -> None:
        """Raises MeshError when the given files cannot be used."""
        self._state = state
        self._names = tuple(names)
        self._given = given
        self._authority = authority
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._stamp = self._look_at_files()
        self._make()
        self._context("h2")  # files that are of no use are noticed at the start

    def context(self, protocol: str) -> ssl.SSLContext:
        """For a server that speaks ``protocol`` (ALPN); new connections follow the certificate and the authority."""
        self._contexts[protocol] = self._context(protocol)
        return switched(self._context(protocol), lambda: self._contexts[protocol])

    def follow(self, authority: Authority) -> None:
        """Serve with a certificate of ``authority``, and ask clients for one of its roots."""
        self._authority = authority
        self._make()
        self._renew()

    def look(self) -> None:
        """Take over given files that were replaced; those that cannot be used stay out, with a line in the log."""
        stamp = self._look_at_files()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._renew()
        except MeshError as error:
            log.error("%s; the certificate of before stays in use", error)

    def _make(self) -> None:
        if self._given is None:
            files.serving_certificate(self._state, self._authority, self._names, now=utc_now())

    def _renew(self) -> None:
        fresh = {protocol: self._context(protocol) for protocol in self._contexts}
        self._contexts |= fresh

    def _context(self, protocol: str) -> ssl.SSLContext:
        own = (self._state / files.SERVER_CERTIFICATE, self._state / files.SERVER_KEY)
        certificate, key = self._given or own
        try:
            return server_context(str(certificate), str(key), self._authority.own_roots_pem, [protocol])
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise MeshError(f"{certificate} and {key} cannot be served: {error}") from error

    def _look_at_files(self) -> tuple[tuple[int, int], ...]:
        found = []
        for path in self._given or ():
            try:
                stat = path.stat()
            except OSError:
                found.append((0, 0))
            else:
                found.append((stat.st_mtime_ns, stat.st_ino))
        return tuple(found)
