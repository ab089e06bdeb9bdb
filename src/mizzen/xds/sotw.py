"""The state-of-the-world dialect: a request lists all names, a response of clusters or listeners lists all that exist."""

from __future__ import annotations

from collections.abc import Mapping

from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, NAME_TABLE, Resource
from mizzen.xds.response import Response
from mizzen.xds.session import Session
from mizzen.xds.subscription import Subscription, empty_endpoints

_WHOLE = (CLUSTER, LISTENER, NAME_TABLE)
"""Types of which a response that leaves a resource out removes it."""


class SotwSession(Session):
    """``StreamAggregatedResources`` for one proxy."""

    DELTA = False

    def receive(self, request: discovery_pb2.DiscoveryRequest) -> list[Response]:
        """Take one request; returns what may be sent now."""
        known = request.type_url in self._subscriptions
        subscription = self._subscription(request.type_url)
        names = set(request.resource_names)
        if not known or not request.response_nonce:
            self._begin(subscription, names)
        else:
            error = request.error_detail.message if request.HasField("error_detail") else None
            if self._answered(subscription, request.response_nonce, error):
                self._compare(subscription, names)
        return self._pump()

    def _begin(self, subscription: Subscription, names: set[str]) -> None:
        """A subscription anew: all is answered (row XD-01). No names means all of a whole type, nothing of others."""
        subscription.out = None
        subscription.overdue.clear()
        subscription.have.clear()
        subscription.names = names - {"*"}
        subscription.wildcard = "*" in names or (not names and subscription.type_url in _WHOLE)
        subscription.blocked.clear()
        subscription.alone.clear()
        subscription.force.clear()
        subscription.answer = subscription.type_url in _WHOLE
        subscription.touch()
        self._note_new(subscription, subscription.wanted())
        if subscription.type_url == CLUSTER and (endpoints := self._subscriptions.get(ENDPOINT)) is not None:
            endpoints.force.update(endpoints.names)
            endpoints.touch()

    def _compare(self, subscription: Subscription, names: set[str]) -> None:
        if subscription.wildcard:
            return
        added = names - subscription.names
        subscription.unsubscribe(subscription.names - names)
        subscription.subscribe(added)
        self._note_new(subscription, added)

    def _may_split(self, subscription: Subscription) -> bool:
        return subscription.type_url not in _WHOLE

    def _due(self, subscription: Subscription) -> dict[str, Resource | None]:
        items = super()._due(subscription)
        if items and subscription.type_url in _WHOLE:
            # Left out, a resource is removed; of these the proxy may have an old form that is not known here.
            blocked = (name for name in subscription.blocked if name not in subscription.bodies)
            items |= {name: resource for name in blocked if (resource := subscription.target.get(name)) is not None}
        return items

    def _frame(self, subscription: Subscription, nonce: str, items: Mapping[str, Resource | None]) -> Response:
        resources = [resource for resource in items.values() if resource is not None]
        if subscription.type_url == ENDPOINT:
            resources += [empty_endpoints(name) for name, resource in items.items() if resource is None]
        if subscription.type_url in _WHOLE:
            # What the proxy keeps is repeated: the old one where the new one was refused, or may not go yet.
            kept = [
                subscription.bodies[name]
                for name in subscription.wanted()
                if name not in items and name in subscription.bodies
            ]
            resources = [*resources, *kept]
        return Response(subscription.type_url, nonce, str(self.snapshot), tuple(resources), delta=False)
