"""Host names as users write them, and how patterns cover them (rows CM-09, CM-10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


def full_name(host: str, namespace: str, domain: str) -> str:
    """The hostname that ``host`` means in an object of ``namespace``: a dot-less name is a service there (CM-09)."""
    if not host or host == "*" or "." in host or ":" in host:
        return host
    return f"{host}.{namespace}.svc.{domain}"


def is_wildcard(host: str) -> bool:
    return host.startswith("*")


def is_address(host: str) -> bool:
    """True for an IP address or a CIDR range."""
    try:
        ipaddress.ip_network(host, strict=False)
    except ValueError:
        return False
    return True


def is_ip(text: str) -> bool:
    """True for one IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def covers(pattern: str, host: str) -> bool:
    """True when every name that ``host`` stands for matches ``pattern``; ``*.x`` does not cover ``x`` (CM-10)."""
    if pattern == host or pattern == "*":
        return True
    return is_wildcard(pattern) and host.endswith(pattern[1:])


def overlap(one: str, other: str) -> str | None:
    """The narrower of two patterns when one covers the other, else None."""
    if covers(one, other):
        return other
    return one if covers(other, one) else None


def specificity(pattern: str) -> tuple[bool, int, str]:
    """Sorts the most specific pattern first: exact names, then longer wildcards, then by the alphabet (CM-10)."""
    return (is_wildcard(pattern), -len(pattern), pattern)


def most_specific(patterns: Iterable[str], host: str) -> str | None:
    """The pattern that wins for ``host``, or None when none covers it."""
    return min((p for p in patterns if covers(p, host)), key=specificity, default=None)
