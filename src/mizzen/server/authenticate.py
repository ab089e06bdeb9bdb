"""Who calls: by client certificate, else by service-account token (rows CA-04, CA-05, XD-06)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from mizzen.errors import ProtocolError, Unauthenticated
from mizzen.model.config import Config
from mizzen.model.identity import Identity

ISSUER = "https://kubernetes.default.svc.cluster.local"
POD_PATIENCE = 2.0
"""Seconds that a token may be ahead of the news about its pod or service account."""
_ALGORITHMS = ["ES256", "RS256"]


@dataclass(frozen=True)
class Caller:
    """``pod`` is the name of the pod that a token is bound to, empty for a certificate and for a machine's token."""

    identity: Identity
    pod: str = ""


class Authenticator:
    """``config`` gives the newest Config, or None before the first; ``changed`` waits for the next one."""

    def __init__(
        self,
        jwks: Path,
        config: Callable[[], Config | None],
        changed: Callable[[], Awaitable[object]],
        audiences: Sequence[str] = ("istio-ca",),
        issuer: str = ISSUER,
    ) -> None:
        self._jwks = jwks
        self._config = config
        self._changed = changed
        self._audiences = list(audiences)
        self._issuer = issuer

    async def caller(self, certificate: Mapping[str, Any] | None, authorization: str) -> Caller:
        """The caller's identity. A certificate wins over a token sent with it. Raises Unauthenticated."""
        if certificate:
            return Caller(self._by_certificate(certificate))
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("neither a client certificate nor a token was sent")
        claims = self._claims(token.strip())
        return await self._by_claims(claims)

    @property
    def _domains(self) -> tuple[str, ...]:
        config = self._config()
        if config is None:
            raise Unauthenticated("the control plane has no configuration yet")
        return (config.mesh.trust_domain, *config.mesh.trust_domain_aliases)

    def _by_certificate(self, certificate: Mapping[str, Any]) -> Identity:
        """TLS has verified the chain; what it names must be one SPIFFE identity of this mesh."""
        uris = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"]
        if len(uris) != 1:
            raise Unauthenticated(f"the client certificate has {len(uris)} URI names, one is needed")
        try:
            identity = Identity.parse(uris[0])
        except ProtocolError as error:
            raise Unauthenticated(str(error)) from error
        if identity.trust_domain not in {domain.replace("@", ".") for domain in self._domains}:
            raise Unauthenticated(f"{identity.uri} is of another trust domain")
        return identity

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            keys = jwt.PyJWKSet.from_dict(json.loads(self._jwks.read_text())).keys
            key = next((key for key in keys if key.key_id == kid), None)
            if key is None:
                raise Unauthenticated("the token is signed by an unknown key")
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=_ALGORITHMS,
                audience=self._audiences,
                issuer=self._issuer,
                options={"require": ["exp", "sub", "aud", "iss"]},
            )
        except (jwt.PyJWTError, OSError, ValueError, KeyError, RecursionError) as error:
            raise Unauthenticated(f"the token does not verify: {error}") from error
        return claims

    async def _by_claims(self, claims: Mapping[str, Any]) -> Caller:
        parts = str(claims["sub"]).split(":")
        if len(parts) != 4 or parts[:2] != ["system", "serviceaccount"] or not all(parts):
            raise Unauthenticated(f"{claims['sub']!r} is no service account")
        namespace, account = parts[2:]
        bound = claims.get("kubernetes.io")
        bound = bound if isinstance(bound, dict) else {}
        if bound.get("namespace", namespace) != namespace:
            raise Unauthenticated("the token is bound to another namespace than that of its subject")
        pod, owner = _part(bound, "pod"), _part(bound, "serviceaccount")
        name, uid = str(pod.get("name", "")), str(pod.get("uid", ""))
        if name and uid:
            await self._exists(f"pod {namespace}/{name} ({uid})", lambda: self._is_bound(namespace, name, uid, account))
        elif pod:
            raise Unauthenticated("the token is bound to a pod without a name or uid")
        else:
            # A machine's: it lives as long as its service account.
            whose = str(owner.get("uid", ""))
            await self._exists(
                f"service account {namespace}/{account} ({whose})", lambda: self._is_account(namespace, account, whose)
            )
        return Caller(Identity(self._domains[0].replace("@", "."), namespace, account), name)

    async def _exists(self, what: str, known: Callable[[], bool]) -> None:
        """A token dies with what it is bound to, which may be so new that the news about it is still on its way."""
        try:
            async with asyncio.timeout(POD_PATIENCE):
                while not known():
                    await self._changed()
        except TimeoutError as error:
            raise Unauthenticated(f"the token is bound to {what}, which is not there") from error

    def _is_account(self, namespace: str, name: str, uid: str) -> bool:
        config = self._config()
        account = config.of("ServiceAccount").get((namespace, name)) if config is not None else None
        return account is not None and bool(uid) and account.meta.uid == uid

    def _is_bound(self, namespace: str, name: str, uid: str, account: str) -> bool:
        config = self._config()
        pod = config.of("Pod").get((namespace, name)) if config is not None else None
        if pod is None or pod.meta.uid != uid:
            return False
        return (pod.body.spec.service_account_name or "default") == account


def _part(bound: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = bound.get(name)
    return found if isinstance(found, dict) else {}
