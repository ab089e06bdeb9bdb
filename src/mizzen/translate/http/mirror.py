"""``mirror`` and ``mirrors`` (row VS-49)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.api.match import Percent
from mizzen.api.virtual_service import Destination, HTTPRoute
from mizzen.translate.http.fault import fraction

_ALL = Percent(value=100)


def mirrors(http: HTTPRoute, cluster: Callable[[Destination], str]) -> Iterator[route.RouteAction.RequestMirrorPolicy]:
    """One policy per mirror. No percentage means all requests, an explicit 0 none."""
    listed = [(m.destination, m.percentage) for m in http.mirrors]
    if not listed and http.mirror is not None:
        old = Percent(value=http.mirror_percent) if http.mirror_percent is not None else None
        listed = [(http.mirror, http.mirror_percentage or old)]
    for destination, percentage in listed:
        share = percentage or _ALL
        if destination is None or share.value <= 0:
            continue
        policy = route.RouteAction.RequestMirrorPolicy(cluster=cluster(destination))
        policy.runtime_fraction.default_value.CopyFrom(fraction(share))
        policy.trace_sampled.value = False
        policy.disable_shadow_host_suffix_append = True
        yield policy
