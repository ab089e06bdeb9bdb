"""Who may look on TCP (row DBG-02)."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from mizzen.errors import Unauthenticated
from mizzen.model.identity import Identity
from mizzen.server.authenticate import Authenticator

log = logging.getLogger(__name__)

OPEN = ("/ready", "/version", "/metrics", "/debug")
NAMESPACE = web.RequestKey("namespace", str)
"""The caller's own, where it may see no other."""
_HANDLER = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Loopback is free, others prove an identity; those of other namespaces than the root and ``allowed`` see a part only."""

    def __init__(
        self, authenticator: Authenticator, root_namespace: str, allowed: tuple[str, ...], *, on: bool
    ) -> None:
        self._authenticator = authenticator
        self._all = {root_namespace, *allowed}
        self._on = on

    def limit(self, identity: Identity) -> str | None:
        """The namespace that a caller is limited to, if it is."""
        return None if identity.namespace in self._all else identity.namespace

    @property
    def middleware(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: _HANDLER) -> web.StreamResponse:
            if self._on and request.path not in OPEN and not _from_loopback(request):
                limited = self.limit(await self._identity(request))
                if limited is not None:
                    request[NAMESPACE] = limited
            return await handler(request)

        return guard

    async def _identity(self, request: web.Request) -> Identity:
        try:
            caller = await self._authenticator.caller(
                request.get_extra_info("peercert") or None, request.headers.get("authorization", "")
            )
        except Unauthenticated as error:
            log.warning("debug caller at %s: %s", request.remote, error)
            raise web.HTTPUnauthorized(text="authentication failed") from error
        return caller.identity


def _from_loopback(request: web.Request) -> bool:
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
