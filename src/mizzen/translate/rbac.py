"""AuthorizationPolicy as Envoy's RBAC filters."""

from __future__ import annotations

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.view import Policies
from mizzen.translate.filters import HttpFilter, NetworkFilter


def http_filters(policies: Policies, mesh: MeshConfig) -> list[HttpFilter]:
    return []


def network_filters(policies: Policies, mesh: MeshConfig) -> list[NetworkFilter]:
    return []
