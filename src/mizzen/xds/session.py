"""A session: one xDS stream as a state machine without I/O.

Rules that hold for both dialects (rows XD-01, XD-02, XD-07):

* One response per type is outstanding. What changes meanwhile is merged: a slow proxy skips to the newest.
* Make before break. Clusters and endpoints go first, at any time. Listeners and routes wait until the proxy has
  acknowledged these: Envoy acknowledges clusters when all of them are warm, so a route never names a cluster that
  is not there yet. Clusters are removed when listeners and routes have moved on.
* A cluster that changed gets its endpoints sent again, because Envoy warms it until they come and asks for nothing.
* Refused resources are remembered with the proxy's reason and sent again with the next push of their type.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from mizzen.errors import ProtocolError
from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, PUSH_ORDER, ROUTE, Resource, ResourceSet
from mizzen.xds.refusal import judge
from mizzen.xds.response import Response
from mizzen.xds.status import Progress, ResourceKey, TypeStatus, version
from mizzen.xds.subscription import Outstanding, Plan, Subscription

HISTORY = 256
"""Snapshots of which a session remembers what they changed."""


class Session:
    """What :class:`DeltaSession` and :class:`SotwSession` share. By type, ``expired`` counts requests with
    an old nonce and ``refusals`` responses that were refused; ``answers`` counts both kinds of answer."""

    DELTA: ClassVar[bool] = True

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}
        self._resources = ResourceSet()
        self._history: deque[tuple[int, set[ResourceKey]]] = deque(maxlen=HISTORY)
        self._responses = 0
        self._impatient = False
        self._resumed = False
        self.answers = 0
        self.expired: dict[str, int] = {}
        self.refusals: dict[str, int] = {}

    @property
    def snapshot(self) -> int:
        """The number of the newest snapshot that was offered, -1 before the first."""
        return self._history[-1][0] if self._history else -1

    def receive(self, request: Any) -> list[Response]:
        """Take one request of the dialect; returns what may be sent now."""
        raise ProtocolError("a session without a dialect receives nothing")

    def offer(self, resources: ResourceSet, snapshot: int) -> list[Response]:
        """Aim at ``resources``, those of snapshot number ``snapshot``. Returns what may be sent now."""
        changed: set[ResourceKey] = set()
        if LISTENER in self._subscriptions:
            self._resumed = False  # by the next snapshot the proxy has said what it has
        for type_url, subscription in self._subscriptions.items():
            target = resources.get(type_url)
            if target is not subscription.target:
                changed.update((type_url, name) for name in subscription.retarget(target))
        self._resources = resources
        if self._history and self._history[-1][0] == snapshot:
            self._history[-1][1].update(changed)  # the same snapshot, and more is known about the proxy
        else:
            self._history.append((snapshot, changed))
        return self._pump()

    def skip(self, snapshot: int) -> None:
        """Snapshot number ``snapshot`` changes nothing here: its resources could not be built."""
        if self.snapshot != snapshot:
            self._history.append((snapshot, set()))

    def hurry(self) -> list[Response]:
        """Stop waiting for the proxy to be ready for more, until all has settled.

        A cluster may never become warm, and until it is, Envoy acknowledges no clusters.
        """
        self._impatient = True
        clusters = self._subscriptions.get(CLUSTER)
        if clusters is not None:
            clusters.give_up_waiting()
        return self._pump()

    @property
    def types(self) -> int:
        """How many types the proxy has asked for."""
        return len(self._subscriptions)

    @property
    def names(self) -> int:
        """How many names the proxy asks for or says that it has, of all types."""
        return sum(len(s.names) + len(s.have) for s in self._subscriptions.values())

    def asked(self) -> frozenset[str]:
        """The type URLs that the proxy has asked for."""
        return frozenset(self._subscriptions)

    def watched(self) -> dict[str, list[str]]:
        """By type URL, the names that the proxy asks for; ``*`` for all."""
        return {url: ["*"] if s.wildcard else sorted(s.names) for url, s in self._subscriptions.items()}

    @property
    def waiting(self) -> bool:
        """Something is held back until the proxy acknowledges something else.

        A newer form of clusters waits for the older ones to be warm, which they may never be.
        """
        clusters = self._subscriptions.get(CLUSTER)
        return (clusters is not None and clusters.overtaken) or any(
            s.out is None and (s.alone or s.plan().updates or s.plan().late) for s in self._subscriptions.values()
        )

    def status(self) -> dict[str, TypeStatus]:
        """By type URL, for every type that the proxy asked for."""
        return {type_url: _status(subscription) for type_url, subscription in self._subscriptions.items()}

    def versions(self) -> dict[str, dict[str, str]]:
        """By type URL and name, the version that the proxy acknowledged."""
        return {
            url: {name: version for name, version in s.have.items() if version}
            for url, s in self._subscriptions.items()
        }

    def progress(self, snapshot: int) -> Progress:
        """How far the proxy is with snapshot number ``snapshot`` or the first later one that the session saw."""
        changed = next((keys for number, keys in self._history if number >= snapshot), None)
        if changed is None:
            return Progress(known=False)
        pending, refused = set(), {}
        for key in changed:
            subscription = self._subscriptions.get(key[0])
            if subscription is None or not subscription.wants(key[1]):
                continue
            if key[1] in subscription.blocked:
                refused[key] = subscription.refused[key[1]].reason
            elif self._owes(subscription, key[1]):
                pending.add(key)
        return Progress(True, frozenset(changed), frozenset(pending), refused)

    @staticmethod
    def _owes(subscription: Subscription, name: str) -> bool:
        in_flight = any(name in sent.items for sent in subscription.in_flight())
        return in_flight or name in subscription.alone or subscription.lacks(name)

    def _subscription(self, type_url: str) -> Subscription:
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            subscription = self._subscriptions[type_url] = Subscription(
                type_url, self._resources.get(type_url), forgetful=not self.DELTA
            )
        return subscription

    def _note_new(self, subscription: Subscription, names: Iterable[str]) -> None:
        """What a proxy begins to ask for belongs to the change that made it ask."""
        if self._history:
            self._history[-1][1].update((subscription.type_url, name) for name in names if subscription.lacks(name))

    def _answered(self, subscription: Subscription, nonce: str, error: str | None) -> bool:
        """Take an ACK (``error`` None) or a NACK. False when nothing waits for an answer to ``nonce``."""
        given_up = subscription.overdue.pop(nonce, None)
        if given_up is None and nonce != subscription.sent_nonce:
            self.expired[subscription.type_url] = self.expired.get(subscription.type_url, 0) + 1
            return False
        self.answers += 1
        out = given_up
        if out is None:
            out, subscription.out = subscription.out, None
            subscription.overdue.clear()
        if error is None:
            subscription.acked_nonce = nonce
        if out is None:
            return True  # answered twice, or subscribed anew in between
        if error is None:
            self._accepted(subscription, out, newest=given_up is None)
        else:
            self.refusals[subscription.type_url] = self.refusals.get(subscription.type_url, 0) + 1
            self._refuse(subscription, out, error, newest=given_up is None)
        return True

    @staticmethod
    def _accepted(subscription: Subscription, out: Outstanding, *, newest: bool) -> None:
        if newest:
            subscription.accept(out.items)
            return
        # It was taken for granted. Only an older refusal of the same is over now.
        for name, resource in out.items.items():
            if resource is not None and subscription.have.get(name) == resource.version:
                subscription.refused.pop(name, None)
        subscription.touch()

    def _refuse(self, subscription: Subscription, out: Outstanding, error: str, *, newest: bool) -> None:
        sent = {name: resource for name, resource in out.items.items() if resource is not None}
        verdict = judge(subscription.type_url, sent, error)
        for name, reason in verdict.guilty.items():
            subscription.refuse(name, sent[name], reason)
        rest = {name: resource for name, resource in sent.items() if name not in verdict.guilty}
        if verdict.rest_applied or not rest:
            removed: dict[str, Resource | None] = {
                name: None for name, resource in out.items.items() if resource is None
            }
            self._accepted(subscription, Outstanding(out.nonce, {**rest, **removed}), newest=newest)
        elif self._may_split(subscription):
            for name, resource in rest.items():
                subscription.doubt(name, resource)
            subscription.alone.extend(rest)
        else:
            for name, resource in rest.items():
                subscription.refuse(name, resource, error)
        subscription.touch()

    def _may_split(self, subscription: Subscription) -> bool:
        """Whether a response may hold some of a type's resources without meaning that the others are gone."""
        return True

    def _pump(self) -> list[Response]:
        """Every response that may go now, in the order in which they must be sent."""
        order = [*PUSH_ORDER, *(url for url in self._subscriptions if url not in PUSH_ORDER)]
        responses = []
        for type_url in order:
            subscription = self._subscriptions.get(type_url)
            if subscription is None or subscription.out is not None:
                continue
            items = self._due(subscription)
            if items or (subscription.answer and self._open(type_url)):
                responses.append(self._send(subscription, items))
        if self._impatient and all(s.settled for s in self._subscriptions.values()):
            self._impatient = False
        return responses

    def _due(self, subscription: Subscription) -> dict[str, Resource | None]:
        if not self._open(subscription.type_url):
            return {}
        while subscription.alone:
            name = subscription.alone.pop(0)
            subscription.touch()
            if subscription.lacks(name) and (resource := subscription.resource(name)) is not None:
                return {name: resource}
        plan: Plan = subscription.plan()
        items = dict(plan.updates)
        if plan.late and self._may_break(subscription.type_url):
            items.update(plan.late)
        return items

    def _open(self, type_url: str) -> bool:
        """Listeners and routes wait for clusters and their endpoints."""
        if self._impatient or type_url not in (LISTENER, ROUTE):
            return True
        if ENDPOINT in self._subscriptions and CLUSTER not in self._subscriptions:
            return False
        return all(s.updated for url in (CLUSTER, ENDPOINT) if (s := self._subscriptions.get(url)) is not None)

    def _may_break(self, type_url: str) -> bool:
        """Whether nothing that the proxy has refers any more to what is gone."""
        if self._impatient or type_url != CLUSTER:
            return True
        if self._resumed and not self._has_told():
            return False
        return all(s.settled for url in (LISTENER, ROUTE) if (s := self._subscriptions.get(url)) is not None)

    def _has_told(self) -> bool:
        """Whether a proxy that was connected before has said on this stream which listeners and routes it has."""
        listeners = self._subscriptions.get(LISTENER)
        return listeners is not None and (ROUTE in self._subscriptions or not listeners.have)

    def _send(self, subscription: Subscription, items: Mapping[str, Resource | None]) -> Response:
        self._responses += 1
        nonce = f"{self.snapshot}-{self._responses}"
        subscription.out = Outstanding(nonce, dict(items))
        subscription.sent_nonce = nonce
        subscription.answer = False
        subscription.force.difference_update(items)
        subscription.touch()
        if subscription.type_url == CLUSTER:
            self._endpoints_again(name for name, resource in items.items() if resource is not None)
        return self._frame(subscription, nonce, items)

    def _warms_still(self, type_url: str) -> bool:
        """Whether a proxy that begins to ask for a type has clusters from an earlier stream that wait for endpoints.

        Envoy asks for no clusters while some are warming, also on a new stream (its clusters are paused until all are
        warm; seen with 1.40). That it asks for endpoints first tells that the stream before broke between a cluster
        and its endpoints. It needs these again, whatever versions it says it has.
        """
        return type_url == ENDPOINT and CLUSTER not in self._subscriptions

    def _warm(self, endpoints: Subscription) -> None:
        """Endpoints that a proxy begins to ask for while clusters are on their way to it: these need them, changed or not."""
        clusters = self._subscriptions.get(CLUSTER)
        if endpoints.type_url == ENDPOINT and clusters is not None and clusters.out is not None:
            self._endpoints_again(name for name, resource in clusters.out.items.items() if resource is not None)

    def _endpoints_again(self, clusters: Iterable[str]) -> None:
        endpoints = self._subscriptions.get(ENDPOINT)
        if endpoints is not None:
            endpoints.force.update(name for name in clusters if endpoints.wants(name))
            endpoints.touch()

    def _frame(self, subscription: Subscription, nonce: str, items: Mapping[str, Resource | None]) -> Response:
        return Response(
            subscription.type_url,
            nonce,
            str(self.snapshot),
            tuple(resource for resource in items.values() if resource is not None),
            tuple(name for name, resource in items.items() if resource is None),
        )


def _status(subscription: Subscription) -> TypeStatus:
    errors = {name: refusal.reason for name, refusal in subscription.refused.items()}
    # A response that was refused in a resource that is wanted no more is as good as acknowledged.
    answered = not subscription.in_flight() and not errors
    return TypeStatus(
        subscription.sent_nonce,
        subscription.sent_nonce if answered else subscription.acked_nonce,
        version(subscription.sent()),
        version(subscription.have),
        answered and subscription.settled,
        errors,
    )
