"""A scripted proxy: it answers what a session sends, and keeps what a real proxy would then have."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.resources import CLUSTER, ENDPOINT, EXTENSION_CONFIG, LISTENER, ROUTE, Resource, ResourceSet
from mizzen.xds import DeltaSession, Response, Session, SotwSession

SHORT = {"cds": CLUSTER, "eds": ENDPOINT, "lds": LISTENER, "rds": ROUTE, "ecds": EXTENSION_CONFIG}
NAMES = {url: short for short, url in SHORT.items()}


def res(short: str, name: str, content: str = "1") -> Resource:
    return Resource.of(SHORT[short], name, f"{name}={content}".encode())


def world(*resources: Resource) -> ResourceSet:
    return ResourceSet.of(resources)


def delta(
    short: str,
    *,
    add: Iterable[str] = (),
    drop: Iterable[str] = (),
    nonce: str = "",
    error: str | None = None,
    have: dict[str, str] | None = None,
) -> discovery_pb2.DeltaDiscoveryRequest:
    request = discovery_pb2.DeltaDiscoveryRequest(
        type_url=SHORT[short],
        resource_names_subscribe=list(add),
        resource_names_unsubscribe=list(drop),
        response_nonce=nonce,
        initial_resource_versions=have or {},
    )
    if error is not None:
        request.error_detail.message = error
    return request


def sotw(
    short: str, names: Iterable[str] = (), *, nonce: str = "", error: str | None = None
) -> discovery_pb2.DiscoveryRequest:
    request = discovery_pb2.DiscoveryRequest(type_url=SHORT[short], resource_names=sorted(names), response_nonce=nonce)
    if error is not None:
        request.error_detail.message = error
    return request


def told(responses: Iterable[Response]) -> list[tuple[str, list[str], list[str]]]:
    """Responses in short: (type, names, removed names)."""
    return [(NAMES[r.type_url], [x.name for x in r.resources], list(r.removed)) for r in responses]


Judge = Callable[[Resource], str | None]
"""Why a resource is refused, None when it is accepted."""


class Proxy:
    """Behaves like Envoy: clusters bring endpoint names with them, listeners route names (``name`` itself).

    A cluster that is new or changed is warm when its endpoints have come (again); the response that brought it is
    acknowledged when all are warm, and until then a new stream asks for no clusters. ``judge`` refuses resources. Clusters and listeners are taken one by one, the others up to the first bad one.
    """

    def __init__(self, session: Session, judge: Judge = lambda _: None) -> None:
        self.session = session
        self.judge = judge
        self.state: dict[str, dict[str, Resource]] = {url: {} for url in NAMES}
        self.names: dict[str, set[str]] = {ENDPOINT: set(), ROUTE: set()}
        self.inbox: deque[Response] = deque()
        self.log: list[tuple[str, list[str], list[str]]] = []
        self.warming: set[str] = set()
        self.paused = False
        self.held: tuple[Response, dict[str, str]] | None = None
        self.nonces: dict[str, str] = {}

    @property
    def delta(self) -> bool:
        return isinstance(self.session, DeltaSession)

    def connect(self, session: Session, resources: ResourceSet, number: int) -> None:
        """A new stream to a control plane that knows nothing of the old one."""
        self.session = session
        self.inbox.clear()
        self.held, self.nonces = None, {}
        self.inbox.extend(session.offer(resources, number))
        self.paused = bool(self.warming)
        for short in ("cds", "lds", "eds", "rds"):
            if short != "cds" or not self.paused:
                self._subscribe(short)

    def _subscribe(self, short: str) -> None:
        """The first request of a type on a stream."""
        url = SHORT[short]
        names = self.names.get(url)
        if names is not None and not names:
            return
        if self.delta:
            have = {name: r.version for name, r in self.state[url].items()}
            self._say(delta(short, add=sorted(names or ()), have=have))
        else:
            self._say(sotw(short, names or ()))

    def offer(self, resources: ResourceSet, number: int) -> None:
        self.inbox.extend(self.session.offer(resources, number))

    def step(self) -> bool:
        """Take one response from the inbox and answer; False when there is none."""
        if not self.inbox:
            return False
        self._take(self.inbox.popleft())
        return True

    def settle(self, limit: int = 1000) -> None:
        for _ in range(limit):
            if not self.step():
                return
        raise AssertionError("the conversation never ends")

    def _say(self, request: object) -> None:
        self.inbox.extend(self.session.receive(request))

    def _take(self, response: Response) -> None:
        url, short = response.type_url, NAMES[response.type_url]
        self.log.append((short, [r.name for r in response.resources], list(response.removed)))
        errors = self._apply(response)
        if url == CLUSTER:
            self._follow(url)
            self.warming &= set(self.state[url])
            self.held = (response, errors)
        else:
            self._answer(short, response, errors)
            self._follow(url)
        if url == ENDPOINT:
            self.warming -= {r.name for r in response.resources} | set(response.removed)
        if self.paused and not self.warming:
            self.paused = False
            self._subscribe("cds")
        if self.held is not None and not self.warming:
            (held, why), self.held = self.held, None
            self._answer("cds", held, why)

    def _apply(self, response: Response) -> dict[str, str]:
        """Take what is good; names and reasons of what is not."""
        url, partial = response.type_url, response.type_url in (CLUSTER, LISTENER)
        errors: dict[str, str] = {}
        kept = {r.name for r in response.resources}
        for resource in response.resources:
            if resource.name not in self.names.get(url, kept):
                continue  # nobody asks for it any more
            if (reason := self.judge(resource)) is not None:
                errors[resource.name] = reason
                if not partial:
                    return errors
                continue
            if url == CLUSTER and self.state[url].get(resource.name) != resource:
                self.warming.add(resource.name)
            self.state[url][resource.name] = resource
        gone = set(self.state[url]) - kept if not self.delta and partial else set(response.removed)
        for name in gone:
            self.state[url].pop(name, None)
        return errors

    def _answer(self, short: str, response: Response, errors: dict[str, str]) -> None:
        error = None
        if errors:
            what = {"cds": "Error adding/updating cluster(s) ", "lds": "Error adding/updating listener(s) "}.get(short)
            listed = ", ".join(f"{name}: {reason}" for name, reason in errors.items())
            error = f"{what}{listed}" if what else next(iter(errors.values()))
        if self.delta:
            self._say(delta(short, nonce=response.nonce, error=error))
        else:
            self.nonces[short] = response.nonce
            self._say(sotw(short, self.names.get(SHORT[short], ()), nonce=response.nonce, error=error))

    def _follow(self, url: str) -> None:
        """Subscribe to what is referred to now."""
        child = {CLUSTER: ENDPOINT, LISTENER: ROUTE}.get(url)
        if child is None:
            return
        wanted, had = set(self.state[url]), self.names[child]
        if wanted == had:
            return
        self.names[child] = wanted
        short = NAMES[child]
        for name in had - wanted:
            self.state[child].pop(name, None)
        if self.delta:
            self._say(delta(short, add=sorted(wanted - had), drop=sorted(had - wanted)))
        else:
            self._say(sotw(short, wanted, nonce=self.nonces.get(short, "")))


def new_session(kind: type[Session]) -> Session:
    assert kind in (DeltaSession, SotwSession)
    return kind()
