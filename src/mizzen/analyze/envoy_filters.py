"""Operations of EnvoyFilters that depend on what others put in, or are ignored (IST0151 to IST0155)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.estate import Estate
from mizzen.analyze.reading import text
from mizzen.api.envoy_filter import EnvoyConfigObjectPatch, EnvoyFilter, Patch
from mizzen.model.finding import Finding

_ROUTES = ("ROUTE_CONFIGURATION", "HTTP_ROUTE")
_REPLACEABLE = ("NETWORK_FILTER", "HTTP_FILTER", "VIRTUAL_HOST")
_RELATIVE = ("INSERT_BEFORE", "INSERT_AFTER", "REMOVE", "REPLACE")

_Name = tuple[str, str]
"""Where a name was written, and the name; two empty texts where there is none."""


def patches(estate: Estate) -> Iterator[Finding]:
    versioned: set[_Name] = set()
    for subject in estate.decoded("EnvoyFilter"):
        first: dict[str, int] = {}
        for code, index in _codes(subject.body, versioned):
            first.setdefault(code, index)
        yield from (subject.finding(code, f"spec.configPatches[{i}].patch.operation") for code, i in first.items())


def _codes(body: EnvoyFilter, versioned: set[_Name]) -> Iterator[tuple[str, int]]:
    """The codes of one EnvoyFilter, and the patches they are about; ``versioned`` gains the names of its patches for one proxy version."""
    for index, entry in enumerate(body.config_patches):
        if entry.patch is None:
            return
        name = _name(entry, entry.patch)
        wrong = _ignored(entry.patch.operation, entry.apply_to)
        if wrong:
            yield wrong, index
        elif entry.patch.operation in _RELATIVE and not body.priority:
            yield ("IST0155" if name in versioned else "IST0151"), index
        proxy = entry.match.proxy if entry.match is not None else None
        if proxy is not None and proxy.proxy_version:
            versioned.add(name)


def _ignored(operation: str, apply_to: str) -> str:
    if operation == "ADD" and apply_to in _ROUTES:
        return "IST0153"
    if operation == "REMOVE" and apply_to in _ROUTES:
        return "IST0154"
    return "IST0152" if operation == "REPLACE" and apply_to not in _REPLACEABLE else ""


def _name(entry: EnvoyConfigObjectPatch, patch: Patch) -> _Name:
    if patch.value is None:
        return "", ""
    own = text(patch.value, "name")
    if own:
        return "value", own
    listener = entry.match.listener if entry.match is not None else None
    beside = text(listener, "filterChain", "filter", "name")
    return ("match", beside) if beside else ("", "")
