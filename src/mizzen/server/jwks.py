"""Fetches the keys that sign request tokens, keeps them fresh, and keeps them when a fetch fails (rows RA-05, RA-11, RA-19, RA-20).

Fetching is apart from publishing: each issuer is asked by itself, so that a slow one delays no other, and until its keys are
here its tokens are refused. A change that needs new keys waits for them a moment, so that good tokens are good at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from mizzen.model.config import Config
from mizzen.model.jwks import FetchedKeys, KeySource, source_of
from mizzen.observe import Metrics

log = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 5.0
"""Seconds for one fetch when the rule sets none (row RA-11)."""
FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
"""Seconds until a failed fetch is tried again; doubled after each failure."""
_LARGEST = 1 << 20
_METADATA_ADDRESSES = ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")
"""Link-local addresses and those at which clouds serve credentials."""

EXTRA_ROOTS, EXTRA_KEY = "pilot-jwks-extra-cacerts", "extra.pem"
"""ConfigMap of the control plane's namespace in which Istio's chart keeps ``jwksResolverExtraRootCA``."""

Lookup = Callable[[str], str | None]
"""The address of a host of the mesh, None when the name is somebody else's."""


class Unfetchable(Exception):
    """Why a key set was not taken."""


@dataclass
class _Entry:
    timeout: float
    keys: FetchedKeys
    due: float
    pause: float = FIRST_RETRY
    tried: bool = False
    fetching: bool = False


class KeyStore:
    """The key sets that the current configuration needs. ``changed`` is called whenever ``current`` is another mapping."""

    def __init__(
        self,
        metrics: Metrics,
        changed: Callable[[], None],
        refresh: float = 1200.0,
        blocked: Iterable[str] = (),
        unverified: bool = False,
    ) -> None:
        self.current: Mapping[KeySource, FetchedKeys] = {}
        self._metrics = metrics
        self._config = Config()
        self._changed = changed
        self._refresh = refresh
        self._blocked = tuple(ipaddress.ip_network(text) for text in (*_METADATA_ADDRESSES, *blocked))
        self._entries: dict[KeySource, _Entry] = {}
        self._unverified = unverified
        self._trust: tuple[str, ssl.SSLContext] | None = None
        self._wake = asyncio.Event()
        self._round = asyncio.Event()

    def want(self, config: Config) -> None:
        """From now on keep the keys that ``config`` needs, and forget those that nobody needs."""
        self._config = config
        wanted: dict[KeySource, float] = {}
        for obj in config.of("RequestAuthentication").values():
            for rule in obj.body.jwt_rules:
                source = source_of(rule)
                if source is not None:
                    seconds = rule.timeout.seconds if rule.timeout else DEFAULT_TIMEOUT
                    wanted[source] = max(seconds, wanted.get(source, 0.0))
        for source in self._entries.keys() - wanted.keys():
            del self._entries[source]
        for source, timeout in wanted.items():
            entry = self._entries.get(source)
            if entry is None:
                self._entries[source] = _Entry(timeout, FetchedKeys(), due=0.0)
                self._wake.set()
            else:
                entry.timeout = timeout

    async def run(self) -> None:
        """Fetch what is due, for ever."""
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(lambda host: cluster_address(self._config, host)),
            socket_factory=self._socket,
            force_close=True,
            use_dns_cache=False,
        )
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=False) as session,
            asyncio.TaskGroup() as fetches,
        ):
            while True:
                now = asyncio.get_running_loop().time()
                for source, entry in self._entries.items():
                    if entry.due <= now and not entry.fetching:
                        entry.fetching = True
                        fetches.create_task(self._one(session, source, entry))
                await self._sleep()

    async def _one(self, session: aiohttp.ClientSession, source: KeySource, entry: _Entry) -> None:
        await self._fetch(session, source, entry)
        entry.fetching, entry.tried = False, True
        self._publish()
        self._round.set()
        self._wake.set()  # when it is due again is known now

    async def tried(self, seconds: float) -> None:
        """Until every source was tried once, but no longer than ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not all(entry.tried for entry in self._entries.values()):
                    self._round.clear()
                    await self._round.wait()

    async def _sleep(self) -> None:
        """Until the next fetch is due, a fetch has ended or a new source is wanted."""
        now = asyncio.get_running_loop().time()
        due = min((entry.due for entry in self._entries.values() if not entry.fetching), default=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(due - now, 0.0)):
                await self._wake.wait()
        self._wake.clear()

    def _publish(self) -> None:
        found = {source: entry.keys for source, entry in self._entries.items()}
        if found != self.current:
            self.current = found
            self._changed()

    async def _fetch(self, session: aiohttp.ClientSession, source: KeySource, entry: _Entry) -> None:
        try:
            async with asyncio.timeout(entry.timeout):
                text = await self._keys(session, source)
        except (Unfetchable, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            self._metrics.key_fetches_failed.inc()
            log.warning("the keys of issuer %r could not be fetched: %s", source.issuer, reason)
            entry.keys = replace(entry.keys, error=reason)
            entry.due = asyncio.get_running_loop().time() + entry.pause
            entry.pause = min(entry.pause * 2, LONGEST_RETRY)
            return
        self._metrics.key_fetches.inc()
        entry.keys, entry.pause = FetchedKeys(text), FIRST_RETRY
        entry.due = asyncio.get_running_loop().time() + self._refresh

    async def _keys(self, session: aiohttp.ClientSession, source: KeySource) -> str:
        uri = source.uri
        if not uri:
            document = await _json(
                session, source.issuer.rstrip("/") + "/.well-known/openid-configuration", self._tls()
            )
            uri = str(document.get("jwks_uri") or "")
            if not uri:
                raise Unfetchable("the discovery document has no jwks_uri")
        document = await _json(session, uri, self._tls())
        if not isinstance(document.get("keys"), list) or not document["keys"]:
            raise Unfetchable("the answer has no keys")
        return json.dumps(document, sort_keys=True)

    def _tls(self) -> ssl.SSLContext:
        """The system's roots and those that the ConfigMap of Istio's chart adds (row RA-20)."""
        extra = _extra_roots(self._config)
        if self._trust is None or self._trust[0] != extra:
            context = ssl.create_default_context()
            if extra:
                try:
                    context.load_verify_locations(cadata=extra)
                except ssl.SSLError as error:
                    log.error("%s of ConfigMap %s holds no certificates: %s", EXTRA_KEY, EXTRA_ROOTS, error)
            if self._unverified:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._trust = (extra, context)
        return self._trust[1]

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Row RA-19: judged at connect time, so that neither a redirect nor a name that moves leads around it."""
        family, kind, protocol, _, address = info
        target = ipaddress.ip_address(str(address[0]).partition("%")[0])
        mapped = getattr(target, "ipv4_mapped", None) or target
        if any(mapped in network for network in self._blocked):
            raise OSError(errno.EACCES, f"{mapped} is an address that keys are not fetched from")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


async def _json(session: aiohttp.ClientSession, url: str, tls: ssl.SSLContext) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise Unfetchable(f"{url!r} is no http or https URL")
    async with session.get(url, ssl=tls) as response:
        if response.status != 200:
            raise Unfetchable(f"{url} answered {response.status}")
        body = b""
        async for part in response.content.iter_any():
            body += part
            if len(body) > _LARGEST:
                raise Unfetchable(f"{url} answered more than {_LARGEST} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unfetchable(f"{url} did not answer JSON") from error
    if not isinstance(document, dict):
        raise Unfetchable(f"{url} did not answer a JSON object")
    return document


class _Resolver(AbstractResolver):
    """Names of the mesh from its own services, all others from the system."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._lookup(host)
        if address is None:
            return await self._system.resolve(host, port, family)
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=0, flags=int(socket.AI_NUMERICHOST)
            )
        ]

    async def close(self) -> None:
        await self._system.close()


def _extra_roots(config: Config) -> str:
    found = config.of("ConfigMap").get((config.mesh.root_namespace, EXTRA_ROOTS))
    return str(found.body.data.get(EXTRA_KEY, "")) if found is not None else ""


def cluster_address(config: Config, host: str) -> str | None:
    """The virtual address of a Service of the mesh, whose name may be short as in a pod: ``a.b`` or ``a.b.svc``."""
    name = host.rstrip(".").lower().removesuffix(f".svc.{config.domain}").removesuffix(".svc")
    service, _, namespace = name.partition(".")
    found = config.of("Service").get((namespace, service))
    address = found.body.spec.cluster_ip if found is not None else ""
    return address if address not in ("", "None") else None
