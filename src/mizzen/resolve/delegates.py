"""Delegate VirtualServices merged into their root (rows VS-36, VS-37)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from mizzen.api.match import StringMatch
from mizzen.api.meta import Object
from mizzen.api.virtual_service import HTTPMatchRequest, HTTPRoute, VirtualService
from mizzen.model.config import ObjectKey
from mizzen.model.finding import Finding
from mizzen.resolve import exports
from mizzen.resolve.problems import missing

_OWN_OF_DELEGATE = frozenset({"name", "match", "route", "redirect", "delegate"})
"""Fields of a route that a delegate never takes from its root; all others it takes where it leaves them unset."""


def merged(root: Object, others: Mapping[ObjectKey, Object]) -> tuple[Object, list[Finding]]:
    """``root`` with each delegating route replaced by the fitting routes of its delegate, and what went wrong."""
    body: VirtualService = root.body
    if not any(route.delegate for route in body.http):
        return root, []
    routes: list[HTTPRoute] = []
    findings: list[Finding] = []
    for index, route in enumerate(body.http):
        if route.delegate is None:
            routes.append(route)
            continue
        key = (route.delegate.namespace or root.namespace, route.delegate.name)
        delegate = others.get(key)
        if delegate is None or delegate.body.hosts or not exports.visible(delegate.body.export_to, root.namespace):
            findings.append(missing(root, "delegate virtual service", "/".join(key), f"spec.http[{index}].delegate"))
            continue
        routes += _fitting(route, delegate.body.http)
    return replace(root, body=replace(body, http=tuple(routes))), findings


def _fitting(root: HTTPRoute, delegated: Iterable[HTTPRoute]) -> Iterable[HTTPRoute]:
    for child in delegated:
        if child.delegate is not None:
            continue
        matches = _merged_matches(root.match, child.match)
        if matches is None:
            continue
        inherited = {
            name: getattr(root, name)
            for name in HTTPRoute.__struct_fields__
            if name not in _OWN_OF_DELEGATE
            and getattr(child, name) in (None, ())
            and getattr(root, name) not in (None, ())
        }
        yield replace(child, name=_joined(root.name, child.name), match=matches, **inherited)


def _merged_matches(
    root: tuple[HTTPMatchRequest, ...], child: tuple[HTTPMatchRequest, ...]
) -> tuple[HTTPMatchRequest, ...] | None:
    """One match per fitting pair; None when some match of the delegate fits no match of the root."""
    if not root or not child:
        return root or child
    result: list[HTTPMatchRequest] = []
    for inner in child:
        pairs = [_pair(outer, inner) for outer in root if not _conflict(outer, inner)]
        if not pairs:
            return None
        result += pairs
    return tuple(result)


def _pair(outer: HTTPMatchRequest, inner: HTTPMatchRequest) -> HTTPMatchRequest:
    return replace(
        inner,
        name=_joined(outer.name, inner.name),
        uri=inner.uri or outer.uri,
        scheme=inner.scheme or outer.scheme,
        method=inner.method or outer.method,
        authority=inner.authority or outer.authority,
        headers={**outer.headers, **inner.headers},
        without_headers={**outer.without_headers, **inner.without_headers},
        query_params={**outer.query_params, **inner.query_params},
        ignore_uri_case=inner.ignore_uri_case or outer.ignore_uri_case,
        port=inner.port or outer.port,
        source_labels={**outer.source_labels, **inner.source_labels},
        source_namespace=inner.source_namespace or outer.source_namespace,
        gateways=inner.gateways or outer.gateways,
        stat_prefix=inner.stat_prefix or outer.stat_prefix,
    )


def _conflict(outer: HTTPMatchRequest, inner: HTTPMatchRequest) -> bool:
    return (
        any(_string_conflict(getattr(outer, f), getattr(inner, f)) for f in ("uri", "scheme", "method", "authority"))
        or any(
            _map_conflict(getattr(outer, f), getattr(inner, f)) for f in ("headers", "without_headers", "query_params")
        )
        or _facts_conflict(outer, inner)
    )


def _facts_conflict(outer: HTTPMatchRequest, inner: HTTPMatchRequest) -> bool:
    return (
        (outer.ignore_uri_case and inner.uri is not None and not inner.ignore_uri_case)
        or bool(outer.port and inner.port and outer.port != inner.port)
        or any(inner.source_labels.get(key, value) != value for key, value in outer.source_labels.items())
        or bool(outer.gateways and not set(inner.gateways) <= set(outer.gateways))
        or bool(outer.source_namespace and inner.source_namespace != outer.source_namespace)
    )


def _map_conflict(outer: Mapping[str, StringMatch], inner: Mapping[str, StringMatch]) -> bool:
    return any(_string_conflict(match, inner.get(name)) for name, match in outer.items())


def _string_conflict(outer: StringMatch | None, inner: StringMatch | None) -> bool:
    if outer is None or inner is None:
        return False
    if outer.regex is not None or inner.regex is not None:
        return True
    if outer.exact is not None:
        return inner.exact != outer.exact
    prefix = outer.prefix or ""
    return not (inner.exact if inner.exact is not None else inner.prefix or "").startswith(prefix)


def _joined(outer: str, inner: str) -> str:
    return "-".join(name for name in (outer, inner) if name)
