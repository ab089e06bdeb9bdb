"""The configuration of a rate-limit service: which limit a descriptor has.

A domain holds a tree of descriptors. A request's entries walk it from the root; only a node at which all entries are
used up limits the request. At each step an exact value goes before a value with ``*`` at its end, and that before a
key without value.
"""

from dataclasses import dataclass, field
from typing import Any

UNITS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
    "month": 30 * 86400,
    "year": 365 * 86400,
}
"""Length of a window in seconds."""

Entry = tuple[str, str]
_DOMAIN_KEYS = {"domain", "descriptors"}
_NODE_KEYS = {"key", "value", "rate_limit", "descriptors", "shadow_mode", "detailed_metric", "quota_mode"}
_LIMIT_KEYS = {"unit", "requests_per_unit", "unlimited", "name", "replaces"}


class BadConfiguration(Exception):
    """What was written is no configuration of a rate-limit service; the text says where."""


@dataclass(frozen=True)
class Limit:
    """``requests`` per ``unit`` (a key of UNITS). ``replaces`` names limits that do not count where this one does."""

    requests: int
    unit: str
    unlimited: bool = False
    shadow: bool = False
    name: str = ""
    replaces: frozenset[str] = frozenset()


@dataclass
class _Node:
    limit: Limit | None = None
    children: dict[Entry, "_Node"] = field(default_factory=dict)

    def child(self, key: str, value: str) -> "_Node | None":
        """The node for an entry."""
        exact = self.children.get((key, value))
        if exact is not None:
            return exact
        for (own, pattern), node in self.children.items():
            if own == key and pattern.endswith("*") and value.startswith(pattern[:-1]):
                return node
        return self.children.get((key, ""))


class Limits:
    """Every domain that was configured."""

    def __init__(self) -> None:
        self._domains: dict[str, _Node] = {}

    def add(self, document: Any) -> None:
        """One file's document. Raises BadConfiguration, also for a domain that is there already."""
        body = _mapping(document, _DOMAIN_KEYS, "the file")
        domain = body.get("domain")
        if not isinstance(domain, str) or not domain:
            raise BadConfiguration("a domain is required")
        if domain in self._domains:
            raise BadConfiguration(f"the domain {domain} is configured twice")
        root = _Node()
        _fill(root, body.get("descriptors"), domain)
        self._domains[domain] = root

    def find(self, domain: str, entries: list[Entry]) -> Limit | None:
        """The limit of a descriptor, None where nothing limits it."""
        node = self._domains.get(domain)
        for key, value in entries:
            node = node.child(key, value) if node is not None else None
        return node.limit if node is not None and entries else None

    def described(self) -> list[str]:
        """A line for every limit, for people."""
        return [line for domain, root in sorted(self._domains.items()) for line in _lines(domain, root)]


def _lines(path: str, node: _Node) -> list[str]:
    own = []
    if node.limit is not None:
        rate = "unlimited" if node.limit.unlimited else f"{node.limit.requests} per {node.limit.unit}"
        own = [f"{path}: {rate}{', shadow mode' if node.limit.shadow else ''}"]
    for (key, value), child in node.children.items():
        own += _lines(f"{path}.{key}{'_' + value if value else ''}", child)
    return own


def _fill(node: _Node, descriptors: Any, path: str) -> None:
    if descriptors is None:
        return
    if not isinstance(descriptors, list):
        raise BadConfiguration(f"{path}: descriptors is no list")
    for item in descriptors:
        body = _mapping(item, _NODE_KEYS, path)
        key, value = body.get("key"), body.get("value")
        if not isinstance(key, str) or not key:
            raise BadConfiguration(f"{path}: a descriptor has no key")
        entry = (key, "" if value is None else str(value))
        here = f"{path}.{key}"
        if entry in node.children:
            raise BadConfiguration(f"{here}: the same descriptor twice")
        child = node.children[entry] = _Node(_limit(body, here))
        _fill(child, body.get("descriptors"), here)


def _limit(node: dict[str, Any], path: str) -> Limit | None:
    if node.get("rate_limit") is None:
        return None
    body = _mapping(node["rate_limit"], _LIMIT_KEYS, path)
    shadow, unlimited, name = bool(node.get("shadow_mode")), bool(body.get("unlimited")), str(body.get("name") or "")
    replaces = frozenset(str(item.get("name")) for item in body.get("replaces") or () if isinstance(item, dict))
    unit = str(body.get("unit") or "").lower()
    if unlimited:
        if unit:
            raise BadConfiguration(f"{path}: an unlimited descriptor has no unit")
        return Limit(0, "", True, shadow, name, replaces)
    if unit not in UNITS:
        raise BadConfiguration(f"{path}: {unit!r} is no unit; one of {', '.join(UNITS)}")
    requests = body.get("requests_per_unit", 0)
    if not isinstance(requests, int) or requests < 0:
        raise BadConfiguration(f"{path}: requests_per_unit is no number")
    return Limit(requests, unit, False, shadow, name, replaces)


def _mapping(value: Any, known: set[str], path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadConfiguration(f"{path}: a mapping is expected")
    if unknown := sorted(str(key) for key in value if key not in known):
        raise BadConfiguration(f"{path}: unknown key {unknown[0]}")
    return value
