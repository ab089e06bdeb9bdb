"""Every debug page by name, for HTTP and xDS alike (rows DBG-03 to DBG-08, XD-17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mizzen.model.config import Config
from mizzen.model.resources import SECRET, ResourceSet
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import ProxyView
from mizzen.server.debug import clients, dump, mesh_pages, shown
from mizzen.server.debug.page import OTHERS, NoAnswer, Question
from mizzen.server.hub import Connection, Hub

Json = dict[str, Any]
_UNKNOWN = "proxy not connected to this control plane: it may be connected to another one"


class Pages:
    """``health`` gives the agents' latest reports; ``push`` lets everything be resolved and offered again."""

    def __init__(self, hub: Hub, health: Callable[[], Json], push: Callable[[], None] = lambda: None) -> None:
        self._hub = hub
        self._health = health
        self._push = push
        self._pages: dict[str, Callable[[Question], Any]] = {
            "syncz": self._syncz,
            "adsz": self._adsz,
            "connections": lambda question: self._clients(question, clients.brief),
            "config_dump": self._config_dump,
            "edsz": lambda question: self._of_type(question, "eds"),
            "ecdsz": lambda question: self._of_type(question, "ecds"),
            "ndsz": lambda question: self._of_type(question, "nds"),
            "sidecarz": self._sidecarz,
            "telemetryz": self._telemetryz,
            "instancesz": self._instancesz,
            "configz": lambda _: mesh_pages.configz(self._config),
            "mesh": lambda _: mesh_pages.mesh(self._config),
            "resourcesz": lambda _: mesh_pages.resourcesz(),
            "authorizationz": lambda _: mesh_pages.authorizationz(self._config),
            "registryz": lambda _: mesh_pages.registryz(self._snapshot),
            "endpointShardz": lambda _: mesh_pages.endpoints(self._snapshot),
            "endpointz": lambda _: mesh_pages.endpoints(self._snapshot),
            "push_status": lambda _: mesh_pages.push_status(hub, self._snapshot),
            "pushcontext": lambda _: mesh_pages.push_context(self._snapshot),
            "cachez": self._cachez,
            "clusterz": lambda _: mesh_pages.clusters(self._config),
            "networkz": lambda _: mesh_pages.networks(self._snapshot),
            "mcsz": lambda _: [],
            "inject": lambda _: mesh_pages.inject(self._config),
            "healthz": lambda _: self._health(),
            "list": lambda _: [f"/debug/{name}" for name in self.names],
        }

    @property
    def names(self) -> list[str]:
        """Those there are, sorted."""
        return sorted(self._pages)

    def answer(self, question: Question) -> Any:
        """What becomes JSON. Raises NoAnswer."""
        page = self._pages.get(question.page)
        if page is None:
            raise NoAnswer(404, f"there is no debug page {question.page!r}")
        if question.namespace is not None and question.page not in OTHERS:
            raise NoAnswer(403, "this namespace may not see that")
        return page(question)

    @property
    def _snapshot(self) -> Snapshot:
        if self._hub.current is None:
            raise NoAnswer(503, "no configuration has been read yet")
        return self._hub.current.snapshot

    @property
    def _config(self) -> Config:
        return self._snapshot.config

    def connections(self, namespace: str | None) -> list[Connection]:
        """The connected proxies of a namespace, or all, by name."""
        every = sorted(self._hub.connections.values(), key=lambda connection: connection.node.proxy_id)
        return [connection for connection in every if namespace in (None, connection.node.namespace)]

    def _seen(self, question: Question) -> list[Connection]:
        return self.connections(question.parameters.get("namespace") or None)

    def _connection(self, question: Question) -> Connection:
        """The one that ``proxyID`` names. That of a namespace which the caller may not see is not there."""
        wanted = question.parameters.get("proxyID", "")
        if not wanted:
            raise NoAnswer(400, "You must provide a proxyID in the query string")
        found = self._hub.connection(wanted)
        if found is None or question.namespace not in (None, found.node.namespace):
            raise NoAnswer(404, _UNKNOWN)
        return found

    def _made(self, connection: Connection) -> ResourceSet:
        """What the proxy ought to have, with the secrets that it may have."""
        current = self._hub.current
        made = self._hub.resources(connection, current) if current is not None else None
        if made is None:
            raise NoAnswer(503, "the resources of this proxy cannot be built")
        if connection.secrets:
            return made
        return ResourceSet({url: of for url, of in made.types.items() if url != SECRET})

    def _view(self, connection: Connection) -> ProxyView:
        self._made(connection)
        if connection.view is None:
            raise NoAnswer(503, "this proxy was offered nothing yet")
        return connection.view

    def _syncz(self, question: Question) -> list[Json]:
        return [clients.sync(connection) for connection in self._seen(question)]

    def _adsz(self, question: Question) -> Json:
        if question.said("push"):
            self._push()
            return {"pushed": len(self._hub.connections)}
        return self._clients(question, clients.client)

    def _clients(self, question: Question, tell: Callable[[Connection], Json]) -> Json:
        found = [tell(connection) for connection in self._seen(question)]
        return {"totalClients": len(found), "clients": found}

    def _config_dump(self, question: Question) -> Json:
        types = question.parameters.get("types", "")
        connection = self._connection(question)
        made, number = self._made(connection), self._hub.current.number if self._hub.current is not None else 0
        if not types:
            return dump.whole(made, str(number), endpoints=question.said("include_eds"))
        try:
            return dump.bare(made, types.split(","))
        except ValueError as error:
            raise NoAnswer(400, str(error)) from error

    def _of_type(self, question: Question, short: str) -> Json:
        return dump.bare(self._made(self._connection(question)), [short])

    def _sidecarz(self, question: Question) -> Json:
        scope = self._view(self._connection(question)).scope
        return {
            "services": [f"{service.namespace}/{service.hostname}" for service in scope.services],
            "virtualServices": [f"{obj.namespace}/{obj.name}" for obj in scope.virtual_services],
            "destinationRules": sorted({f"{obj.namespace}/{obj.name}" for obj in scope.destination_rules.values()}),
            "outboundTrafficPolicy": scope.outbound_mode,
            "egressListeners": [shown.plain({"port": e.port, "bind": e.bind}) for e in scope.egress],
        }

    def _telemetryz(self, question: Question) -> Any:
        """Of one proxy what is in force; else the objects."""
        if "proxyID" in question.parameters:
            return shown.plain(self._view(self._connection(question)).scope.conduct)
        return [shown.document(obj) for obj in self._config.of("Telemetry").values()]

    def _instancesz(self, question: Question) -> Json:
        """By proxy, its own services: those that lead to its ports."""
        found = {}
        for connection in self._seen(question):
            inbound = self._view(connection).inbound
            ports = inbound.ports if inbound is not None else ()
            found[connection.node.proxy_id] = [
                {"service": f"{each.namespace}/{each.hostname}", "port": port.port, "protocol": str(port.protocol)}
                for port in ports
                for each in (port.services or (port.service,))
            ]
        return found

    def _cachez(self, question: Question) -> Json:
        if question.said("clear"):
            self._hub.forget()
        return {"resourceSets": self._hub.cached}
