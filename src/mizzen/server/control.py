"""The control plane's loop and its ports: configuration in, discovery and certificates out, under one TaskGroup."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from mizzen.errors import MeshError
from mizzen.model.access import AuthorizationMode
from mizzen.model.config import Config
from mizzen.observe import Metrics
from mizzen.pki import Lifetimes, server_names
from mizzen.server.ads import Discovery
from mizzen.server.agents import Agents
from mizzen.server.authenticate import Authenticator
from mizzen.server.ca import CertificateService, Issuer
from mizzen.server.debug import Debug, Guard, OverXds, Pages
from mizzen.server.exchange import Exchange
from mizzen.server.gateway_names import GatewayNames
from mizzen.server.hub import Compiler, Hub
from mizzen.server.jwks import DEFAULT_TIMEOUT, KeyStore
from mizzen.server.rate import Rate
from mizzen.server.registration import Entries, Registrations, Rules
from mizzen.server.serving import Serving
from mizzen.server.transport import serve
from mizzen.server.trust import Trust
from mizzen.server.wait import arrived
from mizzen.server.webhooks import Webhooks
from mizzen.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Rows PO-11 to PO-15; 0 takes a free one."""

    secure: int = 15012
    plaintext: int = 15010
    monitoring: int = 15014
    https: int = 15017
    http: int = 8080


@dataclass(frozen=True, kw_only=True)
class Options:
    """``socket`` is the supervisor's; ``address`` and ``pod_name`` are those under which the control plane is known."""

    socket: Path
    state: Path
    debug_socket: Path
    token_jwks: Path
    address: str = ""
    pod_name: str = "istiod"
    authorization: AuthorizationMode = AuthorizationMode.ALWAYS_ALLOW
    connection_age: float = 0.0
    """Seconds after which a stream is ended, so that proxies spread over new replicas; 0 never (row XD-08)."""
    bind: str = "0.0.0.0"  # noqa: S104 - pods reach it over the bridge
    certificate: tuple[Path, Path] | None = None
    """Certificate chain and key to serve with, as PEM files; else the authority signs one."""
    ports: Ports = field(default_factory=Ports)


async def control(
    options: Options,
    settings: Settings,
    core: Compiler,
    configs: AsyncIterator[Config],
    stop: asyncio.Event,
    started: Callable[[Ports, Hub], None] | None = None,
    entries: Entries | None = None,
) -> None:
    """Serve what ``configs`` says until ``stop``. ``started`` is told the ports when all of them listen.

    ``entries`` is where workloads that register themselves are written; without it none can.
    """
    metrics = Metrics()
    hub = Hub(core, metrics)
    mailbox = Mailbox()
    keys = KeyStore(
        metrics,
        mailbox.again,
        settings.jwks_refresh.total_seconds(),
        settings.jwks_blocked,
        unverified=settings.jwks_unverified,
    )
    names = GatewayNames(mailbox.again)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(mailbox.fill(configs)),
            group.create_task(_publish(mailbox, hub, settings, keys, names, metrics)),
            group.create_task(keys.run()),
            group.create_task(names.run()),
        ]
        stopping = group.create_task(stop.wait())
        first = group.create_task(_first(hub))
        await asyncio.wait([stopping, first], return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        if not stop.is_set():
            async with Servers(options, settings, hub, metrics, entries) as servers:
                log.info("ready: snapshot %s", hub.current.number if hub.current is not None else 0)
                if started is not None:
                    started(servers.ports, hub)
                following = group.create_task(servers.follow())
                await stopping
                following.cancel()
        for task in tasks:
            task.cancel()


async def _first(hub: Hub) -> None:
    while hub.current is None:
        await hub.changed.wait()


_NEW_KEYS_SECONDS = 0.5
"""How long a change waits for key sets that were never asked for before (row RA-05); an issuer that is slower is not waited for again."""


_STAGE_SECONDS = 3.0
"""How long a stage of a change waits for proxies; one that never answers must not hold up the others."""


class Mailbox:
    """Holds the newest Config only: what came before and was not looked at is skipped."""

    def __init__(self) -> None:
        self._latest: Config | None = None
        self._taken: Config | None = None
        self._filled = asyncio.Event()
        self.since = 0.0
        """When the Config that was taken last came after the one before it, on the monotonic clock."""
        self._came = 0.0

    async def fill(self, configs: AsyncIterator[Config]) -> None:
        async for config in configs:
            self._came = time.monotonic() if self._latest is None else self._came
            self._latest = config
            self._filled.set()

    async def take(self) -> Config:
        """The newest Config that was not taken yet."""
        while self._latest is None:
            self._filled.clear()
            await self._filled.wait()
        self._taken, self._latest = self._latest, None
        self.since = self._came
        return self._taken

    def again(self) -> None:
        """Let the Config that was taken last be taken once more, unless a newer one waits."""
        if self._latest is None and self._taken is not None:
            self._latest, self._came = self._taken, time.monotonic()
            self._filled.set()


async def _publish(
    mailbox: Mailbox, hub: Hub, settings: Settings, keys: KeyStore, names: GatewayNames, metrics: Metrics
) -> None:
    """The first change at once; those that follow shortly after it together (product decision 8, row XD-03)."""
    while True:
        config = await mailbox.take()
        metrics.pushing.debounce.observe(time.monotonic() - mailbox.since)
        keys.want(config)
        # Proxies may hold good keys from before a restart, or for rules that the change keeps: do not take these away for want of a moment.
        await keys.tried(DEFAULT_TIMEOUT if hub.current is None else _NEW_KEYS_SECONDS)
        config = replace(config, jwks=keys.current, addresses=names.current, features=settings.features)
        for stage in hub.stages(config):
            hub.publish(stage)
            if hub.current is not None:
                await arrived(hub, hub.current.number, _STAGE_SECONDS)
        hub.publish(config)
        if hub.current is not None and settings.resolve_gateways:
            names.want(hub.current.snapshot.networks.names)
        await asyncio.sleep(settings.coalesce.total_seconds())


class Servers:
    """Every port of the control plane, open between ``async with``."""

    def __init__(
        self, options: Options, settings: Settings, hub: Hub, metrics: Metrics, entries: Entries | None = None
    ) -> None:
        self._registrations = _registrations(options, settings, hub, metrics, entries)
        self._options = options
        self._settings = settings
        self._hub = hub
        self._metrics = metrics
        self._stack = contextlib.AsyncExitStack()
        self.ports = options.ports

    async def __aenter__(self) -> Servers:
        async with self._stack as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        options, settings, config = self._options, self._settings, self._hub.config
        if config is None:
            raise MeshError("there is no configuration to serve")
        names = server_names(
            settings.namespace,
            settings.revision,
            _hosts(settings, config),
            [options.address] if options.address else [],
        )
        trust = Trust(options.state, settings, config)
        serving = Serving(options.state, trust.authority, names, options.certificate)
        authenticator = Authenticator(
            options.token_jwks, lambda: self._hub.config, self._hub.changed.wait, settings.token_audiences
        )
        lifetimes = Lifetimes(settings.default_workload_cert_ttl, settings.max_workload_cert_ttl)
        issuer = Issuer(trust.authority, lifetimes, authenticator, self._metrics)
        registrations, check = self._registrations, settings.identity_check
        agents = Agents(issuer, authenticator, self._hub, identity_check=check, registrations=registrations)
        rate = Rate(settings.stream_rate)
        guard = Guard(authenticator, config.mesh.root_namespace, settings.debug_namespaces, on=settings.debug_auth)
        pages = Pages(self._hub, lambda: agents.health, self._hub.again)
        over_xds = OverXds(pages, guard.limit, options.pod_name)
        secure = Discovery(
            self._hub,
            self._metrics,
            rate,
            authenticator,
            identity_check=check,
            registrations=registrations,
            debug=over_xds,
            connection_age=options.connection_age,
        )
        plain = Discovery(self._hub, self._metrics, rate, None, registrations=registrations)
        debug = Debug(self._hub, self._metrics, pages, shown=settings.debug_on_http)

        ports, bind = options.ports, options.bind
        grpc_tls, https = serving.context("h2"), serving.context("http/1.1")
        grpc = await serve([*secure.methods(), *CertificateService(issuer).methods()], bind, ports.secure, grpc_tls)
        stack.push_async_callback(grpc.stop)
        plaintext = await serve(plain.methods(), "127.0.0.1", ports.plaintext, None)
        stack.push_async_callback(plaintext.stop)
        monitoring = await self._http(stack, debug.application(guard))
        open_http = await self._http(stack, debug.application(guard))
        agents_and_hooks = agents.application()
        Webhooks(lambda: self._hub.config, self._metrics, settings.revision).serve(agents_and_hooks)
        agents_http = await self._http(stack, agents_and_hooks)
        unix = await self._http(stack, debug.application())
        self.ports = Ports(
            secure=grpc.port,
            plaintext=plaintext.port,
            monitoring=await _site(web.TCPSite(monitoring, bind, ports.monitoring)),
            http=await _site(web.TCPSite(open_http, bind, ports.http)),
            https=await _site(web.TCPSite(agents_http, bind, ports.https, ssl_context=https)),
        )
        await _unix(unix, options.debug_socket)
        self._exchange = Exchange(self._hub, trust, serving, issuer, agents, settings.root_check)

    async def follow(self) -> None:
        """Exchange the CA whenever that is due, and remove the entries of workloads that went. For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._exchange.follow())
            if self._registrations is not None:
                group.create_task(self._registrations.run())

    @staticmethod
    async def _http(stack: contextlib.AsyncExitStack, application: web.Application) -> web.AppRunner:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        return runner


def _registrations(
    options: Options, settings: Settings, hub: Hub, metrics: Metrics, entries: Entries | None
) -> Registrations | None:
    if entries is None:
        return None
    rules = Rules(
        registers=settings.entry_registration,
        checks=settings.entry_checks,
        validates=settings.entry_identity,
        grace=settings.entry_grace,
    )
    return Registrations(entries, lambda: hub.config, rules, options.pod_name, metrics)


async def _site(site: web.TCPSite) -> int:
    """Start; the port that it listens on."""
    await site.start()
    server = site._server
    if not isinstance(server, asyncio.Server):
        raise MeshError("the HTTP server does not listen")
    return int(server.sockets[0].getsockname()[1])


async def _unix(runner: web.AppRunner, path: Path) -> None:
    """A socket that only its owner can open, from its first moment."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # left by a control plane that was killed
    before = os.umask(0o177)
    try:
        await web.UnixSite(runner, str(path)).start()
    finally:
        os.umask(before)


def _hosts(settings: Settings, config: Config) -> tuple[str, ...]:
    """Names under which people chose to reach the control plane (row PO-13)."""
    discovery = config.mesh.default_config.discovery_address.rpartition(":")[0]
    return (*settings.custom_hosts, *([discovery] if discovery else []))
