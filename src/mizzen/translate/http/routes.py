"""The HTTP routes of one VirtualService for one port of one kind of client (rows VS-03, VS-12, VS-13, VS-22 to VS-29, VS-38)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.api.meta import Object
from mizzen.api.virtual_service import Destination, HTTPMatchRequest, HTTPRoute, HTTPRouteDestination
from mizzen.model import generated
from mizzen.translate import names
from mizzen.translate.catalog import Catalog
from mizzen.translate.http import (
    cors,
    direct_response,
    fault,
    hash_policy,
    headers,
    match,
    mirror,
    redirect,
    retry,
    rewrite,
)
from mizzen.translate.messages import any_of
from mizzen.translate.scalars import duration


@dataclass(frozen=True)
class Place:
    """Where routes are made for: a listener port, and ``mesh`` or the gateways that share it.

    ``port`` is the service port, or the number as written in a Gateway. ``tls``: the server terminates TLS.
    """

    catalog: Catalog
    port: int
    gateways: frozenset[str]
    tls: bool = False


def routes(obj: Object, place: Place) -> list[route.Route]:
    """The routes in order, up to and including the first that nothing gets past (row VS-03)."""
    found: list[route.Route] = []
    for http in obj.body.http:
        if not http.match:
            found += _route(obj, http, None, place)
            return found
        for condition in http.match:
            if _applies(condition, obj, place):
                found += _route(obj, http, condition, place)
                if match.is_catch_all(condition):
                    return found
    return found


def _applies(condition: HTTPMatchRequest, obj: Object, place: Place) -> bool:
    """What is known before a request comes. ``gateways`` makes the source conditions void (row VS-23)."""
    if condition.port and condition.port != place.port:
        return False
    if condition.gateways:
        return bool(place.gateways & set(condition.gateways) & set(obj.body.gateways))
    scope = place.catalog.scope
    if condition.source_namespace and condition.source_namespace != scope.namespace:
        return False
    return condition.source_labels.items() <= scope.labels.items()


def _route(obj: Object, http: HTTPRoute, condition: HTTPMatchRequest | None, place: Place) -> Iterator[route.Route]:
    message = route.Route(name=_name(http, condition))
    message.match.CopyFrom(match.route_match(condition, segments=generated.by_segments(obj)))
    if condition is not None and condition.stat_prefix:
        message.stat_prefix = condition.stat_prefix
    headers.apply(message, http.headers)
    if http.redirect is not None:
        message.redirect.CopyFrom(
            redirect.redirect(http.redirect, place.port, tls=place.tls, prefix=_segments(obj, message))
        )
    elif http.direct_response is not None:
        message.direct_response.CopyFrom(direct_response.direct_response(http.direct_response))
    elif http.route:
        _forward(message, obj, http, place)
    else:
        return
    path = f"/apis/networking.istio.io/v1/namespaces/{obj.namespace}/virtual-service/{obj.name}"
    message.metadata.filter_metadata["istio"].update({"config": path})
    _filters(message, http)
    yield message


def _segments(obj: Object, message: route.Route) -> str:
    """The prefix that a route matches by whole segments, else nothing."""
    return (message.match.path_separated_prefix or message.match.prefix) if generated.by_segments(obj) else ""


def _filters(message: route.Route, http: HTTPRoute) -> None:
    injected = fault.fault(http.fault) if http.fault else None
    if injected is not None:
        message.typed_per_filter_config[fault.FILTER].CopyFrom(any_of(injected))
    if http.cors_policy is not None:
        message.typed_per_filter_config[cors.FILTER].CopyFrom(any_of(cors.cors(http.cors_policy)))


def _name(http: HTTPRoute, condition: HTTPMatchRequest | None) -> str:
    """Row VS-13: ``route``, ``route.match`` or ``.match``."""
    return f"{http.name}.{condition.name}" if condition is not None and condition.name else http.name


def _forward(message: route.Route, obj: Object, http: HTTPRoute, place: Place) -> None:
    action = message.route
    if http.timeout is not None:
        action.timeout.CopyFrom(duration(http.timeout))
        action.max_grpc_timeout.CopyFrom(duration(http.timeout))
    else:
        action.timeout.SetInParent()
        action.max_grpc_timeout.SetInParent()
    destinations = [d for d in http.route if d.destination is not None]
    _clusters(message, http, destinations, place)
    if generated.by_segments(obj):
        action.cluster_not_found_response_code = route.RouteAction.INTERNAL_SERVER_ERROR
    rewrite.apply(action, http.rewrite, tell_host=place.catalog.tells_host)
    policies = [p for d in destinations if (p := _hash(d, place)) is not None]
    action.hash_policy.extend(policies)
    retries = retry.retry_policy(
        http.retries, place.catalog.scope.mesh, hashed=bool(policies) and len(destinations) == 1
    )
    if retries is not None:
        action.retry_policy.CopyFrom(retries)
    action.request_mirror_policies.extend(mirror.mirrors(http, lambda d: place.catalog.cluster(d, place.port)))
    message.decorator.operation = _operation(obj, message, destinations, place)


def _clusters(message: route.Route, http: HTTPRoute, destinations: list[HTTPRouteDestination], place: Place) -> None:
    """One destination is plain; of several those of weight 0 get nothing (row VS-28)."""
    action = message.route
    rewritten = headers.host(http.headers)
    if rewritten:
        action.host_rewrite_literal = rewritten
    weighted = destinations if len(destinations) == 1 else [d for d in destinations if d.weight > 0]
    if len(destinations) == 1:
        only = destinations[0]
        action.cluster = _cluster(only, place)
        headers.apply(message, only.headers)
        own = headers.host(only.headers)
        if own and not rewritten:
            action.host_rewrite_literal = own
        return
    if not weighted:
        action.cluster = names.BLACK_HOLE
    for destination in weighted:
        entry = action.weighted_clusters.clusters.add(name=_cluster(destination, place))
        entry.weight.value = destination.weight
        headers.apply(entry, destination.headers)
        own = headers.host(destination.headers)
        if own:
            entry.host_rewrite_literal = own


def _cluster(weighted: HTTPRouteDestination, place: Place) -> str:
    return place.catalog.cluster(weighted.destination or Destination(), place.port)


def _hash(weighted: HTTPRouteDestination, place: Place) -> route.RouteAction.HashPolicy | None:
    destination = weighted.destination or Destination()
    service = place.catalog.service(destination.host)
    rule = place.catalog.rule(service) if service else None
    settings = hash_policy.consistent_hash(rule, destination.subset, destination.port.number if destination.port else 0)
    return hash_policy.hash_policy(settings) if settings else None


def _operation(obj: Object, message: route.Route, destinations: list[HTTPRouteDestination], place: Place) -> str:
    """The span name: host, port and path of a single destination, else the VirtualService's name."""
    kind = message.match.WhichOneof("path_specifier")
    path = {
        "prefix": message.match.prefix + "*",
        "path": message.match.path,
        "path_separated_prefix": message.match.path_separated_prefix + "/*",
        "safe_regex": message.match.safe_regex.regex,
    }[kind]
    only = destinations[0].destination if len(destinations) == 1 else None
    if only is None:
        return f"{obj.name}:{place.port}{path}"
    service = place.catalog.service(only.host)
    return f"{service.hostname if service else only.host}:{place.catalog.port_of(only, place.port)}{path}"
