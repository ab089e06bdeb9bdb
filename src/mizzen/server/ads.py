"""Aggregated discovery: each stream receives, asks its session, sends (rows XD-01, XD-06)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import DecodeError

from mizzen.errors import ProtocolError, Unauthenticated
from mizzen.model.identity import Identity
from mizzen.model.resources import PUBLIC_SECRETS, SECRET, SHORT_NAMES, ResourceSet
from mizzen.observe import Metrics
from mizzen.server.authenticate import Authenticator
from mizzen.server.debug.over_xds import OverXds
from mizzen.server.hub import Connection, Hub, Published, Signal, first_of
from mizzen.server.limits import NAMES_PER_STREAM, TYPES_PER_STREAM, WAITING_RESPONSES, Streams, TooMany
from mizzen.server.node import Node
from mizzen.server.patience import Patience
from mizzen.server.rate import Rate
from mizzen.server.registration import NoGroup, NotRegistered, Registration, Registrations
from mizzen.server.transport import Call, GrpcError, Method, Status
from mizzen.xds import DeltaSession, Response, Session, SotwSession

log = logging.getLogger(__name__)

MANNERS = 5.0
"""Seconds that a caller who is refused has to finish its first message."""
HEALTH = "type.googleapis.com/istio.v1.HealthInformation"
_SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService"

Request = Any
"""``DeltaDiscoveryRequest`` or ``DiscoveryRequest``, by the dialect."""
Health = Callable[[Request], Awaitable[None]]


class Discovery:
    """The service on one port. Without ``authenticator`` (15010) nobody is asked, and nobody gets secrets."""

    def __init__(
        self,
        hub: Hub,
        metrics: Metrics,
        rate: Rate,
        authenticator: Authenticator | None,
        *,
        identity_check: bool = True,
        registrations: Registrations | None = None,
        debug: OverXds | None = None,
        connection_age: float = 0.0,
    ) -> None:
        self._hub = hub
        self._registrations = registrations
        self._metrics = metrics
        self._connection_age = connection_age
        self._rate = rate
        self._authenticator = authenticator
        self._identity_check = identity_check
        self._debug = debug
        self._streams = Streams()

    def methods(self) -> list[Method]:
        return [
            Method(f"{_SERVICE}/DeltaAggregatedResources", self._delta),
            Method(f"{_SERVICE}/StreamAggregatedResources", self._state_of_the_world),
        ]

    async def _delta(self, call: Call) -> None:
        await self._serve(call, DeltaSession(), discovery_pb2.DeltaDiscoveryRequest)

    async def _state_of_the_world(self, call: Call) -> None:
        await self._serve(call, SotwSession(), discovery_pb2.DiscoveryRequest)

    async def _serve(self, call: Call, session: Session, message: Any) -> None:
        if self._hub.current is None:
            raise GrpcError(Status.UNAVAILABLE, "the control plane is not ready yet")
        # Who is nobody takes no turn of those who are somebody.
        identity = await self._identify(call)
        if identity is None:  # 15010, which only loopback reaches
            await self._stream(call, session, message, None)
            return
        try:
            with self._streams.one((identity, call.address)):
                await self._stream(call, session, message, identity)
        except TooMany as error:
            log.warning("%s at %s has too many streams open", identity.uri, call.address)
            raise GrpcError(Status.RESOURCE_EXHAUSTED, "too many streams of one caller") from error

    async def _stream(self, call: Call, session: Session, message: Any, identity: Identity | None) -> None:
        if not await self._rate.admit():
            raise GrpcError(Status.RESOURCE_EXHAUSTED, "too many new streams")
        first = await _receive(call, message, self._metrics)
        while first is not None and first.type_url == HEALTH:
            first = await _receive(call, message, self._metrics)
        if first is None:
            return
        node = self._node(first, identity)
        if _is_debug(first):  # a tool and no proxy: it takes nobody's place
            await self._tool(call, session, message, identity, first)
            return
        connection = Connection(
            node,
            session,
            identity,
            time.time(),
            secrets=self._may_have_secrets(identity, node),
        )
        held = await self._register(node, identity)
        try:
            health = self._health(node, identity, held)
            stream = _Stream(self._hub, self._metrics, call, connection, health, self._debug)
            published = self._hub.current
            if published is None or not stream.offer(published):
                raise GrpcError(Status.UNAVAILABLE, "the resources of this proxy cannot be built")
            self._hub.attach(connection)
            try:
                await stream.run(first, message, self._connection_age)
            finally:
                self._hub.detach(connection)
        finally:
            if self._registrations is not None:
                self._registrations.disconnect(held)

    async def _register(self, node: Node, identity: Identity | None) -> Registration | None:
        """Its workload entry, if it asks for one (row VM-03)."""
        if self._registrations is None:
            return None
        try:
            return await self._registrations.connect(node, identity)
        except NotRegistered as error:
            log.warning("%s is not registered: %s", node.id, error)
            status = Status.FAILED_PRECONDITION if isinstance(error, NoGroup) else Status.PERMISSION_DENIED
            raise GrpcError(status, str(error)) from error

    def _health(self, node: Node, identity: Identity | None, held: Registration | None) -> Health:
        """Takes what an agent that speaks xDS reports of its application: an error detail, or none (row AG-13)."""

        async def take(request: Request) -> None:
            if self._registrations is None or held is None:
                return
            message = request.error_detail.message
            healthy = not request.HasField("error_detail")
            try:
                await self._registrations.report(node, identity, healthy, message, held)
            except (OSError, NotRegistered) as error:
                log.warning("the health of %s is not kept: %s", node.id, error)

        return take

    async def _tool(
        self, call: Call, session: Session, message: Any, identity: Identity | None, first: Request
    ) -> None:
        """Answer questions about the control plane itself until the caller leaves."""
        request: Request | None = first
        while request is not None:
            if not _is_debug(request):
                raise GrpcError(Status.INVALID_ARGUMENT, "this stream began with debug types")
            if (response := _debugged(self._debug, request, identity, session)) is not None:
                await call.send(response.encode())
            request = await _receive(call, message, self._metrics)

    async def _identify(self, call: Call) -> Identity | None:
        if self._authenticator is None:
            return None
        try:
            return (await self._authenticator.caller(call.certificate, call.metadata.get("authorization", ""))).identity
        except Unauthenticated as error:
            self._metrics.authentication_failures.inc()
            log.warning("xDS caller at %s: %s", call.address, error)
            # grpcio's client, when the status overtakes its first message, makes INTERNAL out of any status.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MANNERS):
                    await call.receive()
            raise GrpcError(Status.UNAUTHENTICATED, "authentication failed") from error

    def _node(self, request: Request, identity: Identity | None) -> Node:
        if not request.node.id:
            raise GrpcError(Status.INVALID_ARGUMENT, "the first request must carry a node id")
        try:
            node = Node.parse(request.node)
        except ProtocolError as error:
            raise GrpcError(Status.INVALID_ARGUMENT, str(error)) from error
        if identity is not None and self._identity_check and not node.spoken_for_by(identity, self._hub.config):
            log.warning("%s may not speak for %s", identity, node.id)
            raise GrpcError(Status.PERMISSION_DENIED, "this identity may not speak for this node")
        return node

    def _may_have_secrets(self, identity: Identity | None, node: Node) -> bool:
        """Only a pod that we know: labels that a stranger says of itself may not make it a gateway."""
        return identity is not None and (not self._identity_check or bool(node.account_of_pod(self._hub.config)))


def _without_secrets(resources: ResourceSet, *, proved: bool) -> ResourceSet:
    """For a caller that is no pod we know, a machine say: what is public stays if the caller is proved (row CG-03)."""
    kept = {url: of for url, of in resources.types.items() if url != SECRET}
    public = {name: of for name, of in resources.get(SECRET).items() if name.startswith(PUBLIC_SECRETS)}
    return ResourceSet({**kept, SECRET: public} if proved and public else kept)


_CODES = frozenset(status.value for status in Status)


class _Stream:
    """One stream at work: a task reads, one follows the snapshots, one sends."""

    def __init__(
        self,
        hub: Hub,
        metrics: Metrics,
        call: Call,
        connection: Connection,
        health: Health,
        debug: OverXds | None = None,
    ) -> None:
        self._debug = debug
        self._hub = hub
        self._health = health
        self._metrics = metrics
        self._call = call
        self._connection = connection
        # Bounded by :meth:`_room`: a proxy that does not read is not read from.
        self._outbox: asyncio.Queue[Response] = asyncio.Queue()
        self._sent = Signal()
        self._aimed: Published | None = None
        """The snapshot whose responses are on their way."""

    def offer(self, published: Published) -> bool:
        """Aim the session at a snapshot; False when there is nothing to offer."""
        started = time.monotonic()
        self._metrics.pushing.queue.observe(max(0.0, started - published.at))
        resources = self._hub.resources(self._connection, published)
        if resources is None:
            return False
        if not self._connection.secrets:
            resources = _without_secrets(resources, proved=self._connection.identity is not None)
        responses = self._connection.session.offer(resources, published.number)
        self._aimed = published if responses else None
        self._timed(responses, started)
        self._put(responses)
        return True

    def _timed(self, responses: Iterable[Response], started: float) -> None:
        """Row CPM-01: what came out since ``started``."""
        for short in {SHORT_NAMES.get(response.type_url, "other").lower() for response in responses}:
            self._metrics.pushing.push.labels(short).observe(time.monotonic() - started)

    async def run(self, first: Request, message: Any, age: float = 0.0) -> None:
        """Until the proxy ends the stream, or for about ``age`` seconds (0: without end). Raises what broke it."""
        self._take(first)
        try:
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(self._send()), group.create_task(self._follow())]
                others += [group.create_task(_grow_old(age))] if age else []
                while (request := await _receive(self._call, message, self._metrics)) is not None:
                    if _is_debug(request):
                        await self._room(1)  # a page may be as large as the mesh
                        answer = _debugged(self._debug, request, self._connection.identity, self._connection.session)
                        self._put([answer] if answer is not None else [])
                    elif request.type_url == HEALTH:
                        await self._health(request)
                        continue
                    else:
                        self._take(request)
                    await self._room()
                for task in others:
                    task.cancel()
        except* GrpcError as errors:
            raise _leaf(errors) from None

    async def _room(self, limit: int = WAITING_RESPONSES) -> None:
        """Until fewer than ``limit`` responses wait."""
        while self._outbox.qsize() >= limit:
            await self._sent.wait()

    def _take(self, request: Request) -> None:
        """Raises GrpcError when the proxy asks for more than one may."""
        session = self._connection.session
        refusals, expired = dict(session.refusals), dict(session.expired)
        started = time.monotonic()
        responses = session.receive(request)
        self._timed(responses, started)
        self._put(responses)
        if session.types > TYPES_PER_STREAM or session.names > NAMES_PER_STREAM:
            raise GrpcError(Status.RESOURCE_EXHAUSTED, "one stream asks for too much")
        self._connection.moments[request.type_url] = time.time()
        short = SHORT_NAMES.get(request.type_url, "other").lower()
        if session.refusals != refusals:
            code = Status(request.error_detail.code) if request.error_detail.code in _CODES else Status.UNKNOWN
            self._metrics.refused(short, self._connection.node.id, code.name.title().replace("_", ""))
            log.warning("%s refuses %s: %s", self._connection.node.id, short, request.error_detail.message[:1000])
        if session.expired != expired:
            self._metrics.expired_nonces.labels(short).inc()
        self._hub.progressed.give()

    async def _follow(self) -> None:
        """Offer each new snapshot. What waits for an acknowledgement that does not come is sent after a while, also when
        new snapshots come faster than that."""
        session: Session = self._connection.session
        reported, patience = self._connection.reported, Patience(session, asyncio.get_running_loop().time)
        while True:
            published, changed = self._hub.current, self._hub.changed.wait()
            patience.look()
            if published is not None and (published.number > session.snapshot or reported.is_set()):
                reported.clear()
                self._offer_or_skip(published)
            try:
                async with asyncio.timeout_at(patience.end):
                    await first_of((changed, reported.wait()))
            except TimeoutError:
                if patience.over:
                    log.warning("%s does not get ready; sending what waits for it", self._connection.node.id)
                    self._put(session.hurry())
                    patience.begin()

    def _offer_or_skip(self, published: Published) -> None:
        if not self.offer(published):
            self._connection.session.skip(published.number)
        self._hub.progressed.give()

    def _put(self, responses: Iterable[Response]) -> None:
        for response in responses:
            self._outbox.put_nowait(response)

    async def _send(self) -> None:
        while True:
            response = await self._outbox.get()
            self._sent.give()
            message = response.encode()
            self._connection.moments[response.type_url] = self._connection.sent[response.type_url] = time.time()
            short = SHORT_NAMES.get(response.type_url, "other").lower()
            self._metrics.pushes.labels(short).inc()
            self._metrics.config_size.labels(response.type_url if short != "other" else short).observe(len(message))
            started = time.monotonic()
            await self._call.send(message)
            self._metrics.pushing.send.observe(time.monotonic() - started)
            if self._aimed is not None and self._outbox.empty() and not self._connection.session.waiting:
                self._metrics.pushing.convergence.observe(max(0.0, time.monotonic() - self._aimed.at))
                self._aimed = None


async def _grow_old(age: float) -> None:
    """End a stream: the proxy comes back, with what it has, and perhaps to another replica. Spread by a tenth, as in gRPC."""
    await asyncio.sleep(age * random.SystemRandom().uniform(0.9, 1.1))
    raise GrpcError(Status.UNAVAILABLE, "this connection is old enough (max_age)")


def _is_debug(request: Request) -> bool:
    return str(request.type_url).partition("/")[0] == "istio.io"


def _debugged(debug: OverXds | None, request: Request, identity: Identity | None, session: Session) -> Response | None:
    """The answer about the control plane; none to who only acknowledges one. Raises GrpcError for who is nobody."""
    if debug is None or identity is None:
        raise GrpcError(Status.UNAUTHENTICATED, "debug types need an identity")
    if request.response_nonce:
        return None
    names = request.resource_names_subscribe if session.DELTA else request.resource_names
    return debug.answer(request.type_url, names, identity, delta=session.DELTA)


async def _receive(call: Call, message: Any, metrics: Metrics) -> Request | None:
    data = await call.receive()
    if data is None:
        return None
    metrics.pushing.received(len(data))
    try:
        return message.FromString(data)
    except DecodeError as error:
        raise GrpcError(Status.INVALID_ARGUMENT, "the message is no discovery request") from error


def _leaf(errors: BaseExceptionGroup[GrpcError]) -> BaseException:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
