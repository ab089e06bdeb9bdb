"""Conditions in the status of objects that say that something is wrong (IST0171)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.estate import Estate
from mizzen.analyze.reading import Raw, blocks, text
from mizzen.model.finding import Finding

_BOUND = ("istio.io/WaypointBound",)
_ACCEPTED = ("ZtunnelAccepted", "WaypointAccepted")
_PARTIAL = "PartiallyInvalid"
_SERVED = ("Accepted", "Programmed", "ResolvedRefs")
_GATEWAY = "Gateway.gateway.networking.k8s.io"
_WATCHED = {
    "Service": _BOUND,
    "ServiceEntry": _BOUND,
    "WorkloadEntry": _BOUND,
    "AuthorizationPolicy": _ACCEPTED,
    _GATEWAY: _SERVED,
    "HTTPRoute": _SERVED,
    "GRPCRoute": _SERVED,
}


def negative_conditions(estate: Estate) -> Iterator[Finding]:
    for kind, watched in _WATCHED.items():
        for subject in estate.of(kind):
            for condition in _conditions(kind, subject.raw):
                name, reason = text(condition, "type"), text(condition, "reason")
                partly = name == "WaypointAccepted" and reason == _PARTIAL
                if name in watched and (partly or text(condition, "status") == "False"):
                    said = text(condition, "message")
                    yield subject.finding("IST0171", type=name, reason=reason, message=said)


def _conditions(kind: str, raw: Raw) -> list[Raw]:
    if kind in ("HTTPRoute", "GRPCRoute"):
        return [found for parent in blocks(raw, "status", "parents") for found in blocks(parent, "conditions")]
    return blocks(raw, "status", "conditions")
