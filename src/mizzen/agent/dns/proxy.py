"""The DNS proxy of one pod, put together: sockets, the pod's name servers, and the table that the control plane sends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from mizzen.agent.dns import resolv
from mizzen.agent.dns.counters import Counters
from mizzen.agent.dns.names import Names
from mizzen.agent.dns.server import Server
from mizzen.agent.dns.upstream import Upstream
from mizzen.agent.settings import Settings


class DnsProxy:
    """Switched on by the proxy's metadata; without it nothing listens (row DN-01)."""

    def __init__(self, settings: Settings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._report = report
        self._server: Server | None = None
        self._names: Names | None = None
        self._search = ""
        self.counters = Counters()
        self.ports: tuple[int, ...] = ()
        self.listening = asyncio.Event()

    async def serve(self) -> None:
        """Answer until cancelled. Raises OSError when the address is taken."""
        settings = self._settings
        _, port = resolv.listening(settings.dns_address, ())
        found = resolv.load(port)
        hosts, port = resolv.listening(settings.dns_address, found.servers)
        self._search = found.search
        # Whoever names this very proxy in resolv.conf would have it ask itself.
        servers = [
            (server, resolv.DNS) for server in found.servers if (server, resolv.DNS) not in ((h, port) for h in hosts)
        ]
        upstream = Upstream(servers, self.counters, timeout=settings.dns_timeout, parallel=settings.dns_parallel)
        async with asyncio.TaskGroup() as tasks:
            early = port == resolv.DNS and os.geteuid() == 0
            server = self._server = Server(upstream, self.counters, tasks, early=early)
            server.names = self._names
            try:
                self.ports = tuple([await server.start(host, port) for host in hosts])
                self.listening.set()
                self._report(f"DNS on {', '.join(hosts)} port {port}, others: {', '.join(found.servers) or 'none'}")
                await asyncio.get_running_loop().create_future()
            finally:
                await server.close()

    def take(self, table: dict[str, Any]) -> None:
        """A new table. Connections and questions under way are not disturbed."""
        self._names = Names(table, self._settings.domain, self._settings.namespace, self._search)
        if self._server is not None:
            self._server.names = self._names
        self._report(f"DNS: {len(self._names)} names of the mesh")

    def document(self) -> dict[str, Any]:
        """What ``/debug/ndsz`` shows (row PO-06): the names that are answered here."""
        return {"table": self._names.document() if self._names is not None else {}}
