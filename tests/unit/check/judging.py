"""What a spec of a kind draws, as (field, message) pairs."""

from __future__ import annotations

from typing import Any

from mizzen.api.decode import decode
from mizzen.api.kinds import KINDS
from mizzen.check import validate
from mizzen.model.finding import Finding, Level


def findings(kind: str, spec: dict[str, Any], **meta: Any) -> list[Finding]:
    raw = {
        "apiVersion": KINDS[kind].api_version,
        "kind": KINDS[kind].kind,
        "metadata": {"name": "case", **meta},
        "spec": spec,
    }
    decoded = decode(raw)
    assert decoded.object is not None, decoded.problems
    return validate(decoded.object)


def errors(kind: str, spec: dict[str, Any], **meta: Any) -> list[str]:
    """The fields of the errors."""
    return [finding.field for finding in findings(kind, spec, **meta) if finding.level is Level.ERROR]


def warnings(kind: str, spec: dict[str, Any], **meta: Any) -> list[str]:
    """The fields of the warnings."""
    return [finding.field for finding in findings(kind, spec, **meta) if finding.level is Level.WARNING]


def route(**fields: Any) -> dict[str, Any]:
    """A VirtualService with one HTTP route to ``b`` and these fields."""
    return {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "b"}}], **fields}]}


def policy(**blocks: Any) -> dict[str, Any]:
    """A DestinationRule with this traffic policy."""
    return {"host": "a", "trafficPolicy": blocks}


def server(protocol: str = "HTTPS", **fields: Any) -> dict[str, Any]:
    """A Gateway with one server on port 443."""
    return {
        "selector": {"istio": "x"},
        "servers": [{"port": {"number": 443, "name": "p", "protocol": protocol}, "hosts": ["a.com"], **fields}],
    }
