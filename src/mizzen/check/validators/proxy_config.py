"""ProxyConfig, the object. Rows PC-*."""

from __future__ import annotations

from mizzen.api.proxy_config import ProxyConfigObject
from mizzen.check import rules
from mizzen.check.notes import Notes


def validate(spec: ProxyConfigObject, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    if spec.concurrency is not None:
        notes.need(spec.concurrency >= 0, "spec.concurrency", "must be 0 or more")
