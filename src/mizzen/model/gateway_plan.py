"""How a Gateway of the Gateway API is to be deployed: what its resolution says to the renderer (rows GA-03, GA-04, GA-06)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

Json = dict[str, Any]
OPTIONAL = ("horizontalPodAutoscaler", "podDisruptionBudget")
"""Objects that exist only when a patch speaks of them."""
OVERLAYS = ("deployment", "service", "serviceAccount", *OPTIONAL)
"""Keys of a ConfigMap with patches."""


class GatewayPort(Struct, frozen=True):
    """A port of the Service: the first listener's that has it."""

    name: str
    number: int
    protocol: str


class GatewayPlan(Struct, frozen=True, kw_only=True):
    """One Gateway. ``name`` is that of what is made of it; ``labels`` and ``annotations`` are those that it passes on;
    ``owner`` is the owner reference to it; ``overlays`` are strategic-merge patches by key, the weaker first."""

    name: str
    gateway: str
    namespace: str
    class_name: str
    owner: Json
    ports: tuple[GatewayPort, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    service_type: str = "LoadBalancer"
    address: str = ""
    service_account: str = ""
    overlays: tuple[dict[str, Json], ...] = ()
