"""networking.istio.io EnvoyFilter. Source: istio/api networking/v1alpha3/envoy_filter.proto, rows EF-*.

A patch's ``value`` is a piece of Envoy configuration; it stays raw, because its type depends on where it is applied.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from mizzen.api.meta import TargetRef, WorkloadSelector


class ProxyMatch(Struct, frozen=True, kw_only=True, rename="camel"):
    proxy_version: str = ""
    metadata: dict[str, str] = {}


class EnvoyConfigObjectMatch(Struct, frozen=True, kw_only=True, rename="camel"):
    """At most one of ``listener``, ``route_configuration``, ``cluster`` and ``waypoint``."""

    context: str = "ANY"
    proxy: ProxyMatch | None = None
    listener: dict[str, Any] | None = None
    route_configuration: dict[str, Any] | None = None
    cluster: dict[str, Any] | None = None
    waypoint: dict[str, Any] | None = None


class Patch(Struct, frozen=True, kw_only=True, rename="camel"):
    operation: str = "INVALID"
    value: dict[str, Any] | None = None
    filter_class: str = "UNSPECIFIED"


class EnvoyConfigObjectPatch(Struct, frozen=True, kw_only=True, rename="camel"):
    apply_to: str = "INVALID"
    match: EnvoyConfigObjectMatch | None = None
    patch: Patch | None = None


class EnvoyFilter(Struct, frozen=True, kw_only=True, rename="camel"):
    workload_selector: WorkloadSelector | None = None
    target_refs: tuple[TargetRef, ...] = ()
    config_patches: tuple[EnvoyConfigObjectPatch, ...] = ()
    priority: int = 0
