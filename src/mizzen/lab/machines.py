"""Machines of the lab: pods that stand for a computer outside the cluster, on which somebody starts the agent by hand.

A pod with the annotation ``lab.mizzen.io/machine: "true"`` runs as any other, but the cluster does not know of it: it is
neither injected nor an endpoint of a Service, and the control plane never hears of it (rows VM-01, VM-02).
"""

from __future__ import annotations

from typing import Any

Raw = dict[str, Any]
ANNOTATION = "lab.mizzen.io/machine"


def is_machine(raw: Raw) -> bool:
    """Whether this object is a pod that stands for a machine."""
    annotations = (raw.get("metadata") or {}).get("annotations") or {}
    return raw.get("kind") == "Pod" and str(annotations.get(ANNOTATION, "")).lower() == "true"
