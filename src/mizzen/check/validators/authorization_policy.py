"""AuthorizationPolicy. Rows AP-02 to AP-20."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mizzen.api.security import AuthorizationPolicy, Condition, Operation, Rule, Source
from mizzen.check import rules
from mizzen.check.notes import Notes

_PEER = ("principals", "namespaces", "serviceAccounts", "trustDomains", "requestPrincipals")
_ADDRESSES = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
_ACCOUNTS = ("serviceAccounts", "notServiceAccounts")
_KEYS = frozenset(
    [
        "source.ip",
        "remote.ip",
        "source.principal",
        "source.namespace",
        "source.serviceAccount",
        "source.trustDomain",
        "request.auth.principal",
        "request.auth.audiences",
        "request.auth.presenter",
        "destination.ip",
        "destination.port",
        "connection.sni",
    ]
)
_NAMED_KEYS = ("request.headers[", "request.auth.claims[", "experimental.envoy.filters.")
_CUSTOM_REFUSES = (
    "source.principal",
    "source.namespace",
    "source.serviceAccount",
    "source.trustDomain",
    "request.auth.",
)
_TEMPLATE = re.compile(r"\{\*\*?\}")
_PATH_TEXT = re.compile(r"[A-Za-z0-9\-._~%!$&'()+,;=:@]*")


def validate(spec: AuthorizationPolicy, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    if spec.selector is not None and not spec.selector.match_labels:
        notes.warn("spec.selector", "an empty selector selects every workload of the namespace; leave it out")
    rules.target_refs(notes, "spec", spec.target_ref, spec.target_refs, spec.selector)
    _action(spec, notes)
    for index, rule in enumerate(spec.rules):
        _rule(rule, f"spec.rules[{index}]", notes, spec.action)


def _action(spec: AuthorizationPolicy, notes: Notes) -> None:
    """Rows AP-04, AP-06."""
    if spec.action == "CUSTOM":
        named = spec.provider is not None and bool(spec.provider.name)
        notes.need(named, "spec.provider.name", "CUSTOM needs the name of a provider")
    else:
        notes.need(spec.provider is None, "spec.provider", f"a provider does not go with {spec.action}")
    if not spec.rules:
        notes.need(
            spec.action == "ALLOW", "spec.rules", f"{spec.action} without rules never matches; rules are required"
        )


def _rule(rule: Rule, path: str, notes: Notes, action: str) -> None:
    for index, origin in enumerate(rule.from_):
        where = f"{path}.from[{index}].source"
        if origin.source is None or not _anything(origin.source):
            notes.error(where, "a source needs at least one condition")
        else:
            _source(origin.source, where, notes, action)
    for index, target in enumerate(rule.to):
        where = f"{path}.to[{index}].operation"
        if target.operation is None or not _anything(target.operation):
            notes.error(where, "an operation needs at least one condition")
        else:
            _operation(target.operation, where, notes)
    for index, condition in enumerate(rule.when):
        _condition(condition, f"{path}.when[{index}]", notes, action)
    if action == "DENY" and _http_only(rule):
        notes.warn(path, "on TCP ports the HTTP conditions fall away, and this rule denies all their traffic")


def _anything(block: Source | Operation) -> bool:
    return any(getattr(block, name) for name in block.__struct_fields__)


def _lists(block: Source | Operation) -> list[tuple[str, Sequence[str]]]:
    names = zip(block.__struct_fields__, block.__struct_encode_fields__, strict=True)
    return [(shown, getattr(block, name)) for name, shown in names]


def _source(source: Source, path: str, notes: Notes, action: str) -> None:
    given = {name: values for name, values in _lists(source) if values}
    for name, values in given.items():
        _not_empty(values, f"{path}.{name}", notes)
        if action == "CUSTOM":
            positive = name.removeprefix("not")
            peer = positive[:1].lower() + positive[1:] in _PEER
            notes.need(
                not peer, f"{path}.{name}", "CUSTOM runs before identities are known; use addresses or operations"
            )
    for name in _ADDRESSES:
        _blocks(given.get(name, ()), f"{path}.{name}", notes)
    for name in _ACCOUNTS:
        _accounts(given.get(name, ()), f"{path}.{name}", notes)
    for name in ("principals", "notPrincipals"):
        _principals(given.get(name, ()), f"{path}.{name}", notes)
    accounts = any(name in given for name in _ACCOUNTS)
    others = any(name in given for name in ("principals", "notPrincipals", "namespaces", "notNamespaces"))
    notes.need(not (accounts and others), path, "Cannot set serviceAccounts with namespaces or principals")
    for name in ("trustDomains", "notTrustDomains"):
        for index, value in enumerate(given.get(name, ())):
            notes.need("/" not in value, f"{path}.{name}[{index}]", f"{value!r} is no trust domain")


def _accounts(values: Sequence[str], path: str, notes: Notes) -> None:
    """Row AP-12."""
    notes.need(len(values) <= 16, path, "at most 16 service accounts")
    for index, value in enumerate(values):
        parts = value.split("/")
        ok = len(parts) <= 2 and all(parts) and len(value) <= 320 and "*" not in value
        notes.need(ok, f"{path}[{index}]", f"{value!r} is no service account: NAME or NAMESPACE/NAME")


def _principals(values: Sequence[str], path: str, notes: Notes) -> None:
    """The scheme is added to what is written (row AP-10): written out, it is there twice and matches nobody."""
    for index, value in enumerate(values):
        if value.startswith("spiffe://"):
            notes.warn(
                f"{path}[{index}]", f"matches nobody: write {value.removeprefix('spiffe://')!r}, without spiffe://"
            )


def _blocks(values: Sequence[str], path: str, notes: Notes) -> None:
    for index, value in enumerate(values):
        if value:
            notes.need(rules.is_cidr(value), f"{path}[{index}]", f"{value!r} is no address and no range")


def _not_empty(values: Sequence[str], path: str, notes: Notes) -> None:
    for index, value in enumerate(values):
        notes.need(bool(value), f"{path}[{index}]", "may not be empty")


def _operation(operation: Operation, path: str, notes: Notes) -> None:
    for name, values in _lists(operation):
        _not_empty(values, f"{path}.{name}", notes)
    for name, ports in (("ports", operation.ports), ("notPorts", operation.not_ports)):
        for index, value in enumerate(ports):
            if value:
                _port(value, f"{path}.{name}[{index}]", notes)
    for name, paths in (("paths", operation.paths), ("notPaths", operation.not_paths)):
        for index, value in enumerate(paths):
            _path(value, f"{path}.{name}[{index}]", notes)


def _port(value: str, path: str, notes: Notes) -> None:
    if notes.need(value.isascii() and value.isdecimal() and len(value) < 6, path, f"{value!r} is no port number"):
        rules.port(notes, path, int(value))


def _path(value: str, path: str, notes: Notes) -> None:
    """Row AP-18: templates are whole segments, ``{**}`` the last of them, and take no other wildcard."""
    if "{" not in value and "}" not in value:
        return
    operators = _TEMPLATE.findall(value)
    rest = _TEMPLATE.sub("", value)
    if not operators or any(c in rest for c in "{}*"):
        notes.error(path, f"{value!r}: only {{*}} and {{**}} may stand in braces, and '*' does not go with them")
        return
    segments = [s for s in value.split("/") if s not in ("{*}", "{**}")]
    whole = all("{" not in s and _PATH_TEXT.fullmatch(s) is not None for s in segments)
    notes.need(whole, path, f"{value!r}: {{*}} and {{**}} stand for whole segments")
    notes.need("{**}" not in operators[:-1], path, f"{value!r}: {{**}} must be the last operator")


def _condition(condition: Condition, path: str, notes: Notes, action: str) -> None:
    """Rows AP-19, AP-20."""
    key = condition.key
    if not notes.need(bool(key), f"{path}.key", "a key is required"):
        return
    named = key.startswith(_NAMED_KEYS) and key.endswith("]") and "[]" not in key
    notes.need(key in _KEYS or named, f"{path}.key", f"unknown attribute {key!r}")
    if action == "CUSTOM":
        notes.need(not key.startswith(_CUSTOM_REFUSES), f"{path}.key", "CUSTOM runs before identities are known")
    notes.need(bool(condition.values or condition.not_values), path, "values or notValues is required")
    for name, values in (("values", condition.values), ("notValues", condition.not_values)):
        _not_empty(values, f"{path}.{name}", notes)
        if key in ("source.ip", "remote.ip", "destination.ip"):
            _blocks(values, f"{path}.{name}", notes)
        elif key == "destination.port":
            for index, value in enumerate(values):
                _port(value, f"{path}.{name}[{index}]", notes)


def _http_only(rule: Rule) -> bool:
    """Whether every condition of a rule is one that TCP traffic does not have (row AP-09)."""
    http = tcp = False
    for origin in rule.from_:
        for name, values in _lists(origin.source) if origin.source else []:
            if values:
                http, tcp = http or "equest" in name, tcp or "equest" not in name
    for target in rule.to:
        for name, values in _lists(target.operation) if target.operation else []:
            if values:
                http, tcp = http or "orts" not in name, tcp or "orts" in name
    for condition in rule.when:
        by_http = condition.key.startswith("request.")
        http, tcp = http or by_http, tcp or not by_http
    return http and not tcp
