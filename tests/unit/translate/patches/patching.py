"""EnvoyFilters for tests, from the dictionaries that users write."""

from __future__ import annotations

from typing import Any

import yaml

from mizzen.model.resources import ResourceSet
from mizzen.model.view import FilterPatch
from mizzen.translate.patches.change import Change
from tests.meshes import new
from tests.scenes import Scene

HCM = "envoy.filters.network.http_connection_manager"
LUA = {
    "name": "lua",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"},
}


def patch(apply_to: str, operation: str, value: Any = None, **match: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"applyTo": apply_to, "patch": {"operation": operation}}
    if value is not None:
        found["patch"]["value"] = value
    if match:
        found["match"] = match
    return found


def change(written: dict[str, Any]) -> Change:
    obj = new("networking.istio.io/v1alpha3", "EnvoyFilter", "shop", "f", {"configPatches": [written]})
    return Change(FilterPatch(obj, 0, obj.body.config_patches[0]))


def document(*patches: dict[str, Any], name: str = "f", namespace: str = "shop", **spec: Any) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"configPatches": list(patches), **spec},
        }
    )


def patched(*patches: dict[str, Any], where: str = "shop/web-0", more: str = "") -> ResourceSet:
    """What a proxy gets with one EnvoyFilter of these patches in its own namespace."""
    namespace = where.partition("/")[0]
    return Scene(document(*patches, namespace=namespace) + "---\n" + more).resources(where)


def statuses(made: ResourceSet) -> list[str]:
    return [str(outcome.status) for outcome in made.patches]
