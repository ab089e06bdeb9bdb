"""``consistentHash`` on the routes that lead to a host (row DR-13)."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.api.destination_rule import ConsistentHashLB, DestinationRule
from mizzen.translate.scalars import duration
from mizzen.translate.traffic_policy import port_entry

_Hash = route.RouteAction.HashPolicy


def consistent_hash(rule: DestinationRule | None, subset: str, port: int) -> ConsistentHashLB | None:
    """The hash that counts: the port entry in the subset, the subset, the port entry, the top.

    ``port`` is 0 when the destination of a VirtualService names none: port entries then do not count.
    """
    if rule is None:
        return None
    own = next((s.traffic_policy for s in rule.subsets if s.name == subset), None) if subset else None
    for policy in (own, rule.traffic_policy):
        if policy is None:
            continue
        entry = port_entry(policy, port) if port else None
        if entry is not None:
            return entry.load_balancer.consistent_hash if entry.load_balancer else None
        if policy.load_balancer is not None:
            return policy.load_balancer.consistent_hash
    return None


def hash_policy(settings: ConsistentHashLB) -> route.RouteAction.HashPolicy | None:
    """What to hash; None when the block names nothing."""
    if settings.http_header_name:
        return _Hash(header=_Hash.Header(header_name=settings.http_header_name))
    cookie = settings.http_cookie
    if cookie is not None:
        message = _Hash(cookie=_Hash.Cookie(name=cookie.name, path=cookie.path))
        if cookie.ttl is not None:
            message.cookie.ttl.CopyFrom(duration(cookie.ttl))
        message.cookie.attributes.extend(
            route.RouteAction.HashPolicy.CookieAttribute(name=a.name, value=a.value) for a in cookie.attributes
        )
        return message
    if settings.use_source_ip:
        return _Hash(connection_properties=_Hash.ConnectionProperties(source_ip=True))
    if settings.http_query_parameter_name:
        return _Hash(query_parameter=_Hash.QueryParameter(name=settings.http_query_parameter_name))
    return None
