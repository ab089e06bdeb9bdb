"""One rule of an AuthorizationPolicy as one Envoy policy: OR inside a list, AND between fields (rows AP-16, AP-19 to AP-21)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from envoy.config.rbac.v3 import rbac_pb2

from mizzen.api.security import Condition, Operation, Rule, Source
from mizzen.translate import rbac_match as m
from mizzen.translate.rbac_match import Permission, Principal


class HttpOnly(Exception):
    """The rule looks at a request, and the chain carries bytes."""


@dataclass(frozen=True)
class Context:
    """Where a rule stands. ``strict``: on TCP an HTTP attribute drops the whole rule (ALLOW), not only itself (row AP-09)."""

    namespace: str
    trust_domains: tuple[str, ...]
    http: bool
    strict: bool


@dataclass(frozen=True)
class _Field:
    """``values`` match if one of ``matchers`` does, and ``not_values`` must all fail."""

    values: Sequence[str]
    not_values: Sequence[str]
    http_only: bool = False


def policy(rule: Rule, context: Context) -> rbac_pb2.Policy:
    """Raises ValueError if a value or key means nothing, HttpOnly if the rule cannot be asked of a TCP chain."""
    principals_when: list[Principal] = []
    permissions_when: list[Permission] = []
    for condition in rule.when:
        found = _condition(condition, context)
        if isinstance(found, _PrincipalCondition):
            principals_when += _principals([(found.field, found.match)], context)
        else:
            permissions_when += _permissions([(found.field, found.match)], context)
    permissions = [
        _all_permissions([*_permissions(_operation(to.operation or Operation()), context), *permissions_when])
        for to in rule.to
    ] or [_all_permissions(permissions_when)]
    principals = [
        _all_principals([*_principals(_source(from_.source or Source(), context), context), *principals_when])
        for from_ in rule.from_
    ] or [_all_principals(principals_when)]
    return rbac_pb2.Policy(permissions=permissions, principals=principals)


PrincipalMatch = Callable[[str], Principal]
PermissionMatch = Callable[[str], Permission]


def _source(source: Source, context: Context) -> Iterator[tuple[_Field, PrincipalMatch]]:
    yield _Field(_aliased(source.principals, context), _aliased(source.not_principals, context)), m.principal
    yield _Field(source.request_principals, source.not_request_principals, http_only=True), m.request_principal
    yield _Field(source.namespaces, source.not_namespaces), m.namespace
    yield _Field(source.service_accounts, source.not_service_accounts), _account(context)
    trusted = _domains(source.trust_domains, context), _domains(source.not_trust_domains, context)
    yield _Field(*trusted), m.trust_domain
    yield _Field(source.remote_ip_blocks, source.not_remote_ip_blocks), _remote_ip
    yield _Field(source.ip_blocks, source.not_ip_blocks), _direct_ip


def _operation(operation: Operation) -> Iterator[tuple[_Field, PermissionMatch]]:
    yield _Field(operation.hosts, operation.not_hosts, http_only=True), m.host
    yield _Field(operation.methods, operation.not_methods, http_only=True), m.method
    yield _Field(operation.paths, operation.not_paths, http_only=True), m.path
    yield _Field(operation.ports, operation.not_ports), m.destination_port


@dataclass(frozen=True)
class _PrincipalCondition:
    field: _Field
    match: PrincipalMatch


@dataclass(frozen=True)
class _PermissionCondition:
    field: _Field
    match: PermissionMatch


_BRACKETS = re.compile(r"\[([^\]]*)\]")
_METADATA = "experimental.envoy.filters."
_SCHEME = "spiffe://"


def _condition(condition: Condition, context: Context) -> _PrincipalCondition | _PermissionCondition:
    """The meaning of ``when[].key`` (row AP-19). Raises ValueError for a key that nobody knows."""
    if not condition.values and not condition.not_values:
        raise ValueError(f"{condition.key} has neither values nor notValues")
    permission = _PERMISSIONS.get(condition.key)
    if permission is not None:
        return _PermissionCondition(_Field(condition.values, condition.not_values), permission)
    if condition.key.startswith(_METADATA):
        return _filter_metadata(condition)
    return _principal_condition(condition, context)


def _filter_metadata(condition: Condition) -> _PermissionCondition:
    keys = _BRACKETS.findall(condition.key)
    if len(keys) != 1:
        raise ValueError(f"{condition.key} has no [key]")
    name = condition.key.removeprefix("experimental.").partition("[")[0]
    return _PermissionCondition(
        _Field(condition.values, condition.not_values), lambda value: m.filter_metadata(name, keys[0], value)
    )


def _principal_condition(condition: Condition, context: Context) -> _PrincipalCondition:
    key, values, not_values = condition.key, condition.values, condition.not_values
    if key == "source.principal":
        return _PrincipalCondition(_Field(_aliased(values, context), _aliased(not_values, context)), m.principal)
    if key == "source.trustDomain":
        return _PrincipalCondition(_Field(_domains(values, context), _domains(not_values, context)), m.trust_domain)
    if key == "source.serviceAccount":
        return _PrincipalCondition(_Field(values, not_values), _account(context))
    if key in _PRINCIPALS:
        return _PrincipalCondition(_Field(values, not_values), _PRINCIPALS[key])
    return _PrincipalCondition(_Field(values, not_values, http_only=True), _request_match(key))


def _request_match(key: str) -> PrincipalMatch:
    """Keys that look at a request: a header, or a claim of its token."""
    if key in _REQUEST:
        return _REQUEST[key]
    names = _BRACKETS.findall(key)
    if key.startswith("request.headers[") and len(names) == 1 and names[0]:
        return lambda value: Principal(header=m.header(names[0], value))
    if key.startswith("request.auth.claims[") and names:
        return lambda value: m.claim(names, value)
    raise ValueError(f"{key} is no key that a condition may have")


def _remote_ip(value: str) -> Principal:
    return Principal(remote_ip=m.cidr(value))


def _direct_ip(value: str) -> Principal:
    return Principal(direct_remote_ip=m.cidr(value))


_PRINCIPALS: dict[str, PrincipalMatch] = {
    "source.ip": _direct_ip,
    "remote.ip": _remote_ip,
    "source.namespace": m.namespace,
}
_REQUEST: dict[str, PrincipalMatch] = {
    "request.auth.principal": m.request_principal,
    "request.auth.audiences": lambda value: m.claim(["aud"], value),
    "request.auth.presenter": lambda value: m.claim(["azp"], value),
}
_PERMISSIONS: dict[str, PermissionMatch] = {
    "destination.ip": lambda value: Permission(destination_ip=m.cidr(value)),
    "destination.port": m.destination_port,
    "connection.sni": lambda value: Permission(requested_server_name=m.text(value)),
}


def _account(context: Context) -> PrincipalMatch:
    return lambda value: m.service_account(value, context.namespace)


def _aliased(values: Sequence[str], context: Context) -> list[str]:
    """Identities, repeated for the mesh's other domains. A scheme that was written all the same is taken off."""
    plain = (value.removeprefix(_SCHEME) or value for value in values)
    return [name for value in plain for name in m.expand_trust_domain(value, context.trust_domains)]


def _domains(values: Sequence[str], context: Context) -> list[str]:
    every = [
        name for value in values for name in (context.trust_domains if value in context.trust_domains else (value,))
    ]
    return list(dict.fromkeys(every))


def _applies(field: _Field, context: Context) -> bool:
    if not field.values and not field.not_values:
        return False
    if field.http_only and not context.http:
        if context.strict:
            raise HttpOnly
        return False
    if "" in (*field.values, *field.not_values):
        raise ValueError("a value may not be empty")
    return True


def _principals(fields: Iterable[tuple[_Field, PrincipalMatch]], context: Context) -> list[Principal]:
    found = []
    for field, match in fields:
        if not _applies(field, context):
            continue
        if field.values:
            found.append(Principal(or_ids=Principal.Set(ids=[match(value) for value in field.values])))
        if field.not_values:
            found.append(
                Principal(not_id=Principal(or_ids=Principal.Set(ids=[match(value) for value in field.not_values])))
            )
    return found


def _permissions(fields: Iterable[tuple[_Field, PermissionMatch]], context: Context) -> list[Permission]:
    found = []
    for field, match in fields:
        if not _applies(field, context):
            continue
        if field.values:
            found.append(Permission(or_rules=Permission.Set(rules=[match(value) for value in field.values])))
        if field.not_values:
            rules = [match(value) for value in field.not_values]
            found.append(Permission(not_rule=Permission(or_rules=Permission.Set(rules=rules))))
    return found


def _all_principals(ids: list[Principal]) -> Principal:
    return Principal(and_ids=Principal.Set(ids=ids or [Principal(any=True)]))


def _all_permissions(rules: list[Permission]) -> Permission:
    return Permission(and_rules=Permission.Set(rules=rules or [Permission(any=True)]))
