"""A Kubernetes Service: what Kubernetes' own load balancer does with it and a proxy does not (rows OL-14, OL-16, OL-17, PR-07)."""

from __future__ import annotations

from mizzen.api.kubernetes import Service
from mizzen.check.notes import Notes

_STICKY = ("istio.io/persistent-session", "istio.io/persistent-session-header")


def validate(body: Service, notes: Notes) -> None:
    """Fields without effect on requests through a proxy are told; none of them refuses the Service."""
    spec = body.spec
    if spec.internal_traffic_policy == "Local":
        notes.warn("spec.internalTrafficPolicy", "has no effect: proxies call the endpoints of every node")
    if spec.session_affinity == "ClientIP":
        notes.warn("spec.sessionAffinity", "has no effect: use consistentHash of a DestinationRule")
    for label in _STICKY:
        if label in notes.obj.meta.labels:
            notes.warn(f'metadata.labels["{label}"]', "has no effect: there are no persistent sessions")
    for index, port in enumerate(spec.ports):
        declared = port.name if port.app_protocol is None else port.app_protocol
        if declared.lower().partition("-")[0] == "mongo":
            notes.warn(f"spec.ports[{index}]", "carried as TCP, without the statistics of Istio's Mongo filter")
