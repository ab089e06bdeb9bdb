"""Snapshot: the mesh resolved. It is data: no lock, no I/O, no history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.access import EVERYONE, SecretAccess
from mizzen.model.authorizer import Authorizer
from mizzen.model.config import Config
from mizzen.model.extension import Extension
from mizzen.model.finding import Finding
from mizzen.model.networks import Networks
from mizzen.model.provider import Logger, Tracer
from mizzen.model.service import Endpoint, Service, Workload

EndpointKey = tuple[str, str, int]
"""(namespace of the service, hostname, service port)."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What every proxy's view is cut from.

    Objects in the tuples come oldest first (row CM-11). In ``virtual_services`` host names, gateway names and
    destinations are already full names and delegates are merged; what could not be resolved became a finding.
    """

    config: Config = field(default_factory=Config)
    mesh: MeshConfig = field(default_factory=MeshConfig)
    services: tuple[Service, ...] = ()
    by_hostname: Mapping[str, tuple[Service, ...]] = field(default_factory=dict)
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    """By address."""
    endpoints: Mapping[EndpointKey, tuple[Endpoint, ...]] = field(default_factory=dict)
    virtual_services: tuple[Object, ...] = ()
    destination_rules: tuple[Object, ...] = ()
    gateways: tuple[Object, ...] = ()
    sidecars: tuple[Object, ...] = ()
    peer_authentications: tuple[Object, ...] = ()
    request_authentications: tuple[Object, ...] = ()
    authorization_policies: tuple[Object, ...] = ()
    envoy_filters: tuple[Object, ...] = ()
    extensions: tuple[Extension, ...] = ()
    """In the order of their filters (row WP-06)."""
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    """The external authorizers that can be asked, by provider name (row AP-06)."""
    providers: Mapping[str, Tracer | Logger | str] = field(default_factory=dict, repr=False)
    """Where traces and access logs may go, by provider name; a text where one cannot be used (row MC-06)."""
    networks: Networks = field(default_factory=Networks)
    secret_access: SecretAccess = EVERYONE
    """Which service accounts may list the Secrets of their namespace (row GW-31)."""
    telemetries: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    """By namespace (row TM-01)."""
    findings: tuple[Finding, ...] = ()
    steps: Mapping[str, tuple[tuple[Any, ...], Any]] = field(default_factory=dict, repr=False)
    """By step of the build: its inputs and its result. Only a memo for the next build."""
    interned: dict[Any, Any] = field(default_factory=dict, repr=False)
    """By key: the Scopes and Inbounds already cut from this snapshot. Only a memo."""
