"""What one proxy wants, has and is owed of one resource type. State only; :mod:`mizzen.xds.session` decides when to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.route.v3 import route_pb2

from mizzen.model.resources import CLUSTER, ENDPOINT, EXTENSION_CONFIG, LISTENER, ROUTE, Resource
from mizzen.xds.refusal import Refusal

_UNKNOWN = ""
"""No version: the proxy was never told anything about the name. (A known absence is None.)"""
_UNSURE = "?"
"""No version either: the proxy may have one from an earlier stream. Unlike all versions it is no hash."""


def empty_endpoints(name: str) -> Resource:
    """No endpoints: in the state-of-the-world dialect the only way to say that there are none, so that a cluster warms."""
    return Resource.of(
        ENDPOINT, name, endpoint_pb2.ClusterLoadAssignment(cluster_name=name).SerializeToString(deterministic=True)
    )


def empty_route(name: str) -> Resource:
    """The answer to a route name that does not exist, so that Envoy never waits for it (section 2.6)."""
    return Resource.of(ROUTE, name, route_pb2.RouteConfiguration(name=name).SerializeToString(deterministic=True))


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A response that was sent and not yet answered. ``items`` maps names to what was sent, None for a removal."""

    nonce: str
    items: dict[str, Resource | None]


@dataclass(slots=True)
class Plan:
    """``updates`` may go as soon as what they refer to has arrived; ``late`` when nothing refers to it any more.

    A value of None is a removal; all that goes late is one.
    """

    updates: dict[str, Resource | None] = field(default_factory=dict)
    late: dict[str, None] = field(default_factory=dict)


class Subscription:
    """One type on one stream.

    ``have`` maps names to the version that the proxy acknowledged (None: it was told that there is none). ``force``
    are names to send although nothing changed. ``blocked`` are names refused in their present version: they wait for
    the next push of the type (row XD-07). ``overdue`` are responses, by nonce, for whose answers nothing waits any more.
    ``alone`` are names to send one by one, to find out which of them is bad. ``forgetful`` says that the proxy does
    not tell what it has from an earlier stream: what it refuses in its new form it may then have in an old one, and
    the end of that must be announced.
    """

    def __init__(self, type_url: str, target: Mapping[str, Resource], *, forgetful: bool = False) -> None:
        self.type_url = type_url
        self.target = target
        self.forgetful = forgetful
        self.wildcard = False
        self.names: set[str] = set()
        self.have: dict[str, str | None] = {}
        self.bodies: dict[str, Resource] = {}
        self.out: Outstanding | None = None
        self.overdue: dict[str, Outstanding] = {}
        self.force: set[str] = set()
        self.blocked: set[str] = set()
        self.refused: dict[str, Refusal] = {}
        self.alone: list[str] = []
        self.answer = False
        self.sent_nonce = ""
        self.acked_nonce = ""
        self._plan: Plan | None = None

    def touch(self) -> None:
        """Forget the plan; to be called after any change."""
        self._plan = None

    def wants(self, name: str) -> bool:
        return self.wildcard or name in self.names

    def wanted(self) -> list[str]:
        """Every name of interest, those that exist first and in the order of the target."""
        if not self.wildcard:
            present = (
                [name for name in self.target if name in self.names]
                if len(self.names) > 1
                else [n for n in self.names if n in self.target]
            )
            return present + sorted(name for name in self.names if name not in self.target)
        known = {*self.names, *self.have}
        return [*self.target, *sorted(name for name in known if name not in self.target)]

    def resource(self, name: str) -> Resource | None:
        """What the proxy should have under this name, None for nothing."""
        found = self.target.get(name)
        if (
            found is None
            and self.type_url == ROUTE
            and name in self.names
            and self.have.get(name, _UNKNOWN) == _UNKNOWN
        ):
            return empty_route(name)
        return found

    def lacks(self, name: str) -> bool:
        """The proxy does not have what it should have (or has what it should not)."""
        target, have = self.resource(name), self.have.get(name, _UNKNOWN)
        if target is None:
            return self._removes(name) and have != _UNKNOWN and have is not None
        return have != target.version and not self._spared(target, have)

    @staticmethod
    def _spared(target: Resource, have: str | None) -> bool:
        """A stopgap is only for who has nothing (row WP-07)."""
        return target.stopgap and have not in (_UNKNOWN, None)

    def _removes(self, name: str) -> bool:
        """Whether the end of a resource is announced.

        What a proxy asks for by name, because something else refers to it, it drops by itself with the last
        reference. Until then it needs it: a listener that drains still serves by its routes.
        """
        return self.type_url in (CLUSTER, LISTENER) or (self.wildcard and name not in self.names)

    def retarget(self, target: Mapping[str, Resource]) -> set[str]:
        """Aim at a new set; the names of interest that differ between the old and the new one."""
        old, self.target = self.target, target
        names: Iterable[str] = {*old, *target} if self.wildcard else self.names
        changed = {name for name in names if old.get(name) != target.get(name)}
        self.blocked.clear()
        for name in [name for name in self.refused if not self.lacks(name)]:
            del self.refused[name]
        self.touch()
        return changed

    def subscribe(self, names: Iterable[str]) -> None:
        """Add names. One that was subscribed already is asked for again, and so is sent again."""
        for name in names:
            if name in self.names:
                self.force.add(name)
            self.names.add(name)
            self.blocked.discard(name)
        self.touch()

    def unsubscribe(self, names: Iterable[str]) -> None:
        for name in names:
            self.names.discard(name)
            if not self.wildcard:
                self._forget(name)
        self.touch()

    def _forget(self, name: str) -> None:
        self.have.pop(name, None)
        self.bodies.pop(name, None)
        self.refused.pop(name, None)
        self.blocked.discard(name)
        self.force.discard(name)
        if name in self.alone:
            self.alone.remove(name)
        for sent in self.in_flight():
            sent.items.pop(name, None)

    def in_flight(self) -> list[Outstanding]:
        """Responses that were sent and not answered."""
        return [*self.overdue.values(), *([self.out] if self.out is not None else [])]

    def sent(self) -> dict[str, str | None]:
        """Like ``have``, with what was sent and is not answered, or was refused."""
        versions = {**self.have, **{name: refusal.version for name, refusal in self.refused.items()}}
        for sent in self.in_flight():
            versions |= {name: r.version if r is not None else None for name, r in sent.items.items()}
        return versions

    def plan(self) -> Plan:
        """What the proxy is owed. Kept until the next :meth:`touch`."""
        if self._plan is None:
            self._plan = self._make_plan()
        return self._plan

    def _make_plan(self) -> Plan:
        plan = Plan()
        for name in self.wanted():
            if name in self.blocked:
                continue
            target, have = self.resource(name), self.have.get(name, _UNKNOWN)
            if target is None:
                self._plan_absence(plan, name, have)
            elif not self._spared(target, have) and (have != target.version or name in self.force):
                plan.updates[name] = target
        return plan

    def _plan_absence(self, plan: Plan, name: str, have: str | None) -> None:
        if self.type_url == EXTENSION_CONFIG or (have is None and name not in self.force):
            return  # a filter's configuration is never removed (row XD-01)
        if have == _UNKNOWN or have is None or name in self.force:
            # Asked for, or a cluster warms until it is told: say that there is none, so that nothing waits.
            plan.updates[name] = None
        elif self._removes(name):
            plan.late[name] = None

    def accept(self, items: Mapping[str, Resource | None]) -> None:
        """The proxy has these now."""
        for name, resource in items.items():
            self.refused.pop(name, None)
            if resource is None:
                self._accept_removal(name)
            elif self.wants(name):
                self.have[name] = resource.version
                self.bodies[name] = resource
        self.touch()

    def _accept_removal(self, name: str) -> None:
        self.bodies.pop(name, None)
        if name in self.names:
            self.have[name] = None
        else:
            self.have.pop(name, None)

    def refuse(self, name: str, resource: Resource, reason: str) -> None:
        """The proxy does not take ``resource``. If something else is wanted by now, that is tried."""
        self.touch()
        self.doubt(name, resource)
        if self.forgetful:
            self.have.setdefault(name, _UNSURE)
        target = self.target.get(name)
        if target is not None and target.version == resource.version:
            self.refused[name] = Refusal(resource.version, reason)
            self.blocked.add(name)

    def doubt(self, name: str, resource: Resource) -> None:
        """What was taken for granted by :meth:`give_up_waiting` did not happen."""
        if self.have.get(name) == resource.version:
            self.have[name] = _UNSURE
            self.bodies.pop(name, None)
            self.touch()

    def give_up_waiting(self) -> None:
        """Go on as if the outstanding response were accepted; its answer counts when it comes."""
        if self.out is not None:
            given_up, self.out = self.out, None
            self.overdue[given_up.nonce] = given_up
            refused = dict(self.refused)
            self.accept(given_up.items)
            self.refused = refused  # whether it takes them now is not known

    @property
    def overtaken(self) -> bool:
        """Whether something newer waits behind the response that is not answered."""
        if self.out is None:
            return False
        sent = self.out.items
        return any(sent.get(name) != resource for name, resource in self.plan().updates.items())

    @property
    def updated(self) -> bool:
        """Everything that exists has arrived (or was refused); removals may still be owed."""
        return self.out is None and not self.alone and not self.plan().updates

    @property
    def settled(self) -> bool:
        return self.updated and not self.plan().late
