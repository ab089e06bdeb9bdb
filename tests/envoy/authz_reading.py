"""Istio's documented meaning of AuthorizationPolicy, read in plain Python and apart from our translation.

Sources: the reference page "Authorization Policy" (rules, sources, operations, conditions, value matching), rows AP-01 to
AP-22. Nothing of ``mizzen.translate`` is used here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mizzen.api.security import AuthorizationPolicy, Condition, Operation, Rule, Source


@dataclass(frozen=True)
class Request:
    """``path`` is as sent, ``seen`` after normalisation. ``identity`` is a SPIFFE id without its scheme, empty in plain text."""

    identity: str = ""
    ip: str = "127.0.0.1"
    forwarded_for: str = ""
    port: int = 0
    method: str = "GET"
    path: str = "/"
    seen: str = "/"
    host: str = "web"
    headers: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Any] | None = None

    @property
    def remote_ip(self) -> str:
        return self.forwarded_for or self.ip


def allowed(policies: Iterable[tuple[str, AuthorizationPolicy]], request: Request) -> bool:
    """``policies`` are (namespace, policy). DENY first; then no ALLOW at all, or one that matches."""
    every = list(policies)
    if any(p.action == "DENY" and _matches(ns, p, request) for ns, p in every):
        return False
    allow = [(ns, p) for ns, p in every if p.action == "ALLOW"]
    return not allow or any(_matches(ns, p, request) for ns, p in allow)


def _matches(namespace: str, policy: AuthorizationPolicy, request: Request) -> bool:
    return any(_rule(namespace, rule, request) for rule in policy.rules)


def _rule(namespace: str, rule: Rule, request: Request) -> bool:
    if rule.from_ and not any(_source(namespace, entry.source or Source(), request) for entry in rule.from_):
        return False
    if rule.to and not any(_operation(entry.operation or Operation(), request) for entry in rule.to):
        return False
    return all(_condition(namespace, condition, request) for condition in rule.when)


def _both(test: Callable[[str], bool], values: Iterable[str], not_values: Iterable[str]) -> bool:
    wanted = list(values)
    return (not wanted or any(map(test, wanted))) and not any(map(test, not_values))


def _source(namespace: str, source: Source, request: Request) -> bool:
    account = _account(namespace, request)
    return (
        _both(_principal(request), source.principals, source.not_principals)
        and _both(_request_principal(request), source.request_principals, source.not_request_principals)
        and _both(_namespace(request), source.namespaces, source.not_namespaces)
        and _both(account, source.service_accounts, source.not_service_accounts)
        and _both(_ip(request.ip), source.ip_blocks, source.not_ip_blocks)
        and _both(_ip(request.remote_ip), source.remote_ip_blocks, source.not_remote_ip_blocks)
    )


def _operation(operation: Operation, request: Request) -> bool:
    return (
        _both(lambda v: _text(v.lower(), request.host.lower()), operation.hosts, operation.not_hosts)
        and _both(lambda v: v == str(request.port), operation.ports, operation.not_ports)
        and _both(lambda v: _text(v, request.method), operation.methods, operation.not_methods)
        and _both(_path(request), operation.paths, operation.not_paths)
    )


def _condition(namespace: str, condition: Condition, request: Request) -> bool:
    tests: dict[str, Callable[[str], bool]] = {
        "source.ip": _ip(request.ip),
        "remote.ip": _ip(request.remote_ip),
        "source.principal": _principal(request),
        "source.namespace": _namespace(request),
        "request.auth.principal": _request_principal(request),
        "request.auth.audiences": _claim(request, ["aud"]),
        "request.auth.presenter": _claim(request, ["azp"]),
        "destination.port": lambda v: v == str(request.port),
    }
    keys = re.findall(r"\[([^\]]*)\]", condition.key)
    if condition.key.startswith("request.headers["):
        tests[condition.key] = _header(request, keys[0])
    if condition.key.startswith("request.auth.claims["):
        tests[condition.key] = _claim(request, keys)
    return _both(tests[condition.key], condition.values, condition.not_values)


def _text(pattern: str, value: str | None) -> bool:
    if value is None:
        return False
    if pattern == "*":
        return value != ""
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value == pattern


def _principal(request: Request) -> Callable[[str], bool]:
    return lambda value: bool(request.identity) and _text(value, request.identity)


def _parts(request: Request) -> tuple[str, str]:
    """Namespace and account of the caller; nothing matches two empty ones."""
    found = re.fullmatch(r"[^/]+/ns/([^/]+)/sa/([^/]+)", request.identity)
    return (found[1], found[2]) if found else ("", "")


def _namespace(request: Request) -> Callable[[str], bool]:
    return lambda value: bool(request.identity) and _text(value, _parts(request)[0])


def _account(namespace: str, request: Request) -> Callable[[str], bool]:
    return lambda value: (value if "/" in value else f"{namespace}/{value}") == "/".join(_parts(request))


def _ip(address: str) -> Callable[[str], bool]:
    return lambda value: ipaddress.ip_address(address) in ipaddress.ip_network(value)


def _request_principal(request: Request) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        claims = request.claims
        if claims is None or not claims.get("iss") or not claims.get("sub"):
            return False
        return _text(value, f"{claims['iss']}/{claims['sub']}")

    return test


def _claim(request: Request, keys: list[str]) -> Callable[[str], bool]:
    found: Any = request.claims
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    texts = found if isinstance(found, list) else [found]
    return lambda value: any(isinstance(text, str) and _text(value, text) for text in texts)


def _header(request: Request, name: str) -> Callable[[str], bool]:
    value = request.headers.get(name)
    return lambda wanted: value is not None and (wanted == "*" or _text(wanted, value))


def _path(request: Request) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        if "{" not in value:
            return _text(value, request.seen)
        parts = {"{*}": "[^/]+", "{**}": ".*"}
        return re.fullmatch("/".join(parts.get(s, re.escape(s)) for s in value.split("/")), request.seen) is not None

    return test
