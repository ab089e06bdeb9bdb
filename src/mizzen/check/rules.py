"""Rules that several kinds share: host names, ports, durations, labels, exportTo. Rows CM-06 to CM-09."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

import re2

from mizzen.api.meta import Duration, LabelSelector, TargetRef
from mizzen.check.notes import Notes
from mizzen.model.hosts import is_ip as is_ip

PROTOCOLS = frozenset({"GRPC", "GRPC-WEB", "HTTP", "HTTP2", "HTTPS", "MONGO", "MYSQL", "REDIS", "TCP", "TLS", "UDP"})
HTTP_PROTOCOLS = frozenset({"GRPC", "GRPC-WEB", "HTTP", "HTTP2", "HTTP_PROXY"})
MAX_PROGRAM = 32_768
"""``re2.max_program_size.error_level`` of the proxies' bootstrap."""
SOCKET_PATH = 108
MAX_REGEX = 1024
MAX_HEADER = 16_384
"""Bytes of a name or a value of a header that Envoy takes from its configuration."""
MAX_PARAMETER = 1024

_LABEL = re.compile(r"[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?")
DNS_LABEL = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_MILLI = 1_000_000
_RE2 = re2.Options()
_RE2.log_errors = False


def fqdn(name: str) -> bool:
    """Whether ``name`` is a DNS name (one final dot allowed), without wildcards."""
    name = name.removesuffix(".")
    return 0 < len(name) <= 255 and all(len(p) <= 63 and _LABEL.fullmatch(p) is not None for p in name.split("."))


def is_cidr(text: str) -> bool:
    """Whether ``text`` is an address or an address with a prefix length."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" not in text or text.rpartition("/")[2].isdecimal()


def unix_path(notes: Notes, path: str, address: str) -> bool:
    """Short enough for the address of a socket (``sun_path`` of unix(7))."""
    fits = len(address.removeprefix("unix://").encode()) < SOCKET_PATH
    return notes.need(fits, path, f"a unix path has less than {SOCKET_PATH} bytes")


def wildcard_host(notes: Notes, path: str, host: str, partial: bool = False) -> bool:
    """A DNS name, ``*``, or ``*.`` and a DNS name; with ``partial`` also ``*-suffix.example.com``."""
    if not host:
        return notes.need(False, path, "a host may not be empty")
    if host == "*":
        return True
    if host.startswith("*."):
        return notes.need(fqdn(host[2:]), path, f"{host!r} is no host name")
    if host.startswith("*"):
        ok = partial and fqdn("x" + host[1:])
        return notes.need(
            ok, path, f'partial wildcard "{host}" not allowed: a wildcard stands for whole labels, as in *.example.com'
        )
    return notes.need(fqdn(host), path, f"{host!r} is no host name")


def host_or_ip(notes: Notes, path: str, host: str) -> bool:
    return is_ip(host) or wildcard_host(notes, path, host)


def port(notes: Notes, path: str, number: int) -> bool:
    return notes.need(1 <= number <= 65535, path, f"a port is a number from 1 to 65535, not {number}")


def protocol(notes: Notes, path: str, name: str, extra: Sequence[str] = ()) -> bool:
    """A protocol that we know, whatever its case; empty means detection."""
    known = not name or name.upper() in PROTOCOLS or name.upper() in extra
    return notes.need(known, path, f"unknown protocol {name!r}; known: {', '.join(sorted(PROTOCOLS))}")


def duration(notes: Notes, path: str, value: Duration | None, zero: bool = False) -> bool:
    """At least a millisecond, whole milliseconds; with ``zero`` also 0s. None passes."""
    if value is None or (zero and value.nanos == 0):
        return True
    if value.nanos < _MILLI:
        return notes.need(False, path, f"{value} is too short: at least 1ms")
    return notes.need(value.nanos % _MILLI == 0, path, "only whole milliseconds count")


def percent(notes: Notes, path: str, value: float | None) -> bool:
    """0, or 0.0001 to 100 (row VS-47). None passes."""
    if value is None or value == 0 or 0.0001 <= value <= 100:
        return True
    return notes.need(False, path, f"{value:g} is no percentage: 0, or from 0.0001 to 100")


def regex(notes: Notes, path: str, pattern: str) -> bool:
    """RE2, at most 1024 bytes (row VS-51)."""
    if len(pattern.encode()) > MAX_REGEX:
        return notes.need(False, path, f"a regular expression has at most {MAX_REGEX} bytes")
    try:
        size = re2.compile(pattern, _RE2).programsize
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        return notes.need(False, path, f"not a regular expression (RE2): {text}")
    return notes.need(
        size <= MAX_PROGRAM, path, f"too large for a proxy: {size} steps, where {MAX_PROGRAM} are allowed"
    )


def header_name(notes: Notes, path: str, name: str) -> bool:
    fits = len(name) <= MAX_HEADER and _TOKEN.fullmatch(name) is not None
    return notes.need(fits, path, f"{name[:100]!r} is no header name")


def one_line(notes: Notes, path: str, *texts: str) -> bool:
    """What becomes a part of a header has no line breaks: Envoy refuses all routes of a port for one."""
    return notes.need(not any(c in text for text in texts for c in "\r\n\0"), path, "there may be no line breaks")


def parameter_name(notes: Notes, path: str, name: str) -> bool:
    return notes.need(
        0 < len(name.encode()) <= MAX_PARAMETER, path, f"a parameter needs a name of at most {MAX_PARAMETER} bytes"
    )


def labels(notes: Notes, path: str, values: Mapping[str, str]) -> None:
    """Labels that an object carries or a subset asks for."""
    for key, value in values.items():
        if not key:
            notes.error(path, "a label needs a key")
        elif not _LABEL_KEY.fullmatch(key):
            notes.error(path, f"{key!r} is no label key")
        if not _LABEL_VALUE.fullmatch(value) or len(value) > 63:
            notes.error(path, f"{value!r} is no label value")


def selector(notes: Notes, path: str, value: LabelSelector | None) -> None:
    """Row CM-06: no wildcards, no empty keys."""
    if value is None:
        return
    for key, wanted in value.match_labels.items():
        notes.need(bool(key), path, "a label needs a key")
        notes.need("*" not in key and "*" not in wanted, path, "wildcard is not supported in selector")


def target_refs(
    notes: Notes, base: str, one: TargetRef | None, many: Sequence[TargetRef], label_selector: object
) -> None:
    """Row CM-07: at most 16; no namespace; only one of selector, targetRef and targetRefs."""
    given = [name for name, value in (("selector", label_selector), ("targetRef", one), ("targetRefs", many)) if value]
    notes.need(len(given) < 2, base, f"only one of {', '.join(given)} may be set")
    notes.need(len(many) <= 16, f"{base}.targetRefs", "at most 16 targets")
    refs = [(f"{base}.targetRef", one)] if one else []
    refs += [(f"{base}.targetRefs[{i}]", ref) for i, ref in enumerate(many)]
    for path, ref in refs:
        if ref is None:
            continue
        notes.need(bool(ref.name), f"{path}.name", "a name is required")
        notes.need(bool(ref.kind), f"{path}.kind", "a kind is required")
        notes.need(not ref.namespace, f"{path}.namespace", "a target lies in the policy's own namespace; leave it out")
        known = (ref.group, ref.kind) in _TARGETS
        notes.need(known or not ref.kind, path, f"{ref.group or 'core'} {ref.kind} is no kind to attach to")


_TARGETS = {
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("", "Service"),
    ("networking.istio.io", "ServiceEntry"),
}


def export_to(notes: Notes, path: str, values: Sequence[str], none: bool = False) -> None:
    """Row CM-08. ``none``: whether ``~`` is allowed."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        where = f"{path}[{index}]"
        if value == "~" and not none:
            notes.error(where, "'~' is allowed on ServiceEntry and Service only")
        elif value not in (".", "*", "~") and not DNS_LABEL.fullmatch(value):
            notes.error(where, f"{value!r} is no namespace, '.', '*' or '~'")
        name = notes.obj.namespace if value == "." else value
        notes.need(name not in seen, where, f"{value!r} is listed twice")
        seen.add(name)
    for alone in ("*", "~"):
        notes.need(alone not in values or len(values) == 1, path, f"{alone!r} stands alone")


def unique(notes: Notes, path: str, values: Sequence[Any], what: str) -> None:
    seen: set[Any] = set()
    for value in values:
        notes.need(value not in seen, path, f"{what}: {value!r} is used twice")
        seen.add(value)
