"""The incremental dialect: resources come and go one by one."""

from __future__ import annotations

from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.resources import CLUSTER, LISTENER, NAME_TABLE
from mizzen.xds.response import Response
from mizzen.xds.session import Session
from mizzen.xds.subscription import Subscription

WILDCARD = "*"


class DeltaSession(Session):
    """``DeltaAggregatedResources`` for one proxy."""

    def receive(self, request: discovery_pb2.DeltaDiscoveryRequest) -> list[Response]:
        """Take one request; returns what may be sent now. Never raises: a strange request asks for nothing."""
        first = request.type_url not in self._subscriptions
        subscription = self._subscription(request.type_url)
        if first:
            self._begin(subscription, request)
        else:
            self._change(subscription, request)
        if request.response_nonce:
            refused = request.HasField("error_detail")
            self._answered(subscription, request.response_nonce, request.error_detail.message if refused else None)
        return self._pump()

    def _begin(self, subscription: Subscription, request: discovery_pb2.DeltaDiscoveryRequest) -> None:
        """The first request of a type on this stream. A proxy that was connected before says what it has."""
        versions = dict(request.initial_resource_versions)
        names = set(request.resource_names_subscribe)
        if WILDCARD in names or not (
            names or (versions and subscription.type_url not in (CLUSTER, LISTENER, NAME_TABLE))
        ):
            subscription.wildcard = True
        names.discard(WILDCARD)
        if not subscription.wildcard:
            names.update(versions)
        subscription.have.update(versions)
        self._resumed = self._resumed or (bool(versions) and subscription.type_url == CLUSTER)
        subscription.subscribe(names)
        subscription.unsubscribe(request.resource_names_unsubscribe)
        subscription.answer = subscription.wildcard and not versions
        if self._warms_still(subscription.type_url):
            subscription.force.update(names)
        self._warm(subscription)
        self._note_new(subscription, subscription.wanted())

    def _change(self, subscription: Subscription, request: discovery_pb2.DeltaDiscoveryRequest) -> None:
        added = [name for name in request.resource_names_subscribe if name != WILDCARD]
        if WILDCARD in request.resource_names_subscribe:
            subscription.wildcard = True
            subscription.answer = True
            subscription.touch()
            self._note_new(subscription, subscription.wanted())
        if WILDCARD in request.resource_names_unsubscribe:
            self._end_wildcard(subscription)
        # A name in both lists is dropped and asked for anew.
        subscription.unsubscribe(name for name in request.resource_names_unsubscribe if name != WILDCARD)
        if added:
            subscription.subscribe(added)
            self._note_new(subscription, added)

    @staticmethod
    def _end_wildcard(subscription: Subscription) -> None:
        subscription.wildcard = False
        subscription.unsubscribe([name for name in subscription.have if name not in subscription.names])
