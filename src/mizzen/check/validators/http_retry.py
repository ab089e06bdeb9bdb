"""Retries of an HTTP route. Rows VS-39 to VS-44."""

from __future__ import annotations

from mizzen.api.virtual_service import HTTPRetry
from mizzen.check import rules
from mizzen.check.notes import Notes

POLICIES = frozenset(
    [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ]
)
"""What Envoy's ``x-envoy-retry-on`` and ``x-envoy-retry-grpc-on`` take."""


def validate(retries: HTTPRetry, path: str, notes: Notes) -> None:
    notes.need(retries.attempts >= 0, f"{path}.attempts", "0 or more")
    if retries.attempts == 0:
        for name, value in (
            ("perTryTimeout", retries.per_try_timeout),
            ("retryOn", retries.retry_on),
            ("retryRemoteLocalities", retries.retry_remote_localities),
        ):
            notes.need(
                not value, f"{path}.{name}", f"attempts is 0, which switches retries off; {name} does not go with it"
            )
    rules.duration(notes, f"{path}.perTryTimeout", retries.per_try_timeout)
    rules.duration(notes, f"{path}.backoff", retries.backoff)
    if retries.retry_on:
        for policy in retries.retry_on.split(","):
            _policy(policy, f"{path}.retryOn", notes)


def _policy(policy: str, path: str, notes: Notes) -> None:
    """A name of the list or a bare status code; blanks are not cut off (row VS-41)."""
    if policy.isascii() and policy.isdecimal():
        notes.need(100 <= int(policy[:9]) <= 599, path, f"{policy} is no HTTP status")
    elif policy != policy.strip():
        notes.error(path, "no blanks around the commas")
    else:
        notes.need(policy in POLICIES, path, f"{policy!r} is no retry policy; known: {', '.join(sorted(POLICIES))}")
