"""Switches of the control plane that change what proxies are told. The shell reads them; the core is handed them in Config."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mizzen.model.access import AuthorizationMode


class RemoteKeys(StrEnum):
    """Who fetches token keys that have an address (row RA-06)."""

    CONTROL_PLANE = "istiod"
    HYBRID = "hybrid"
    """Envoy where the address is a service of the mesh, the control plane otherwise."""
    ENVOY = "envoy"


@dataclass(frozen=True)
class GatewayApi:
    """``enabled``: its objects are read at all (GA-01). ``manual``: a Gateway may name Services that are there already
    (GA-05). ``copies``: a Gateway hands on its own labels and annotations (GA-04). ``default_class``: the class that works
    without an object (GA-02)."""

    enabled: bool = True
    manual: bool = True
    copies: bool = True
    default_class: str = "istio"


@dataclass(frozen=True)
class Features:
    """``several_authorizers``: more than one CUSTOM provider may judge one workload (row AP-06). ``ip_autoallocate``: every
    proxy that captures DNS goes by allocated addresses, without it only those that ask for them by DNS_AUTO_ALLOCATE (SE-14)."""

    several_authorizers: bool = False
    ip_autoallocate: bool = True
    gateway_selectors: bool = True
    """Whether policies with a selector, or with none, hold on gateways of the Gateway API too (row CM-07)."""
    gateway_api: GatewayApi = GatewayApi()
    remote_keys: RemoteKeys = RemoteKeys.CONTROL_PLANE
    authorization: AuthorizationMode = AuthorizationMode.ALWAYS_ALLOW
    """Whether a proxy gets a Secret by name alone, or only if roles let its service account list them (row GW-31)."""
    multicluster_headless: bool = True
    """Whether names of headless services lead to pods of other clusters too (row MCL-08)."""
