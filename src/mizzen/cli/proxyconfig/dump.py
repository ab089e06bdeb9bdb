"""Envoy's config dump (``envoy.admin.v3.ConfigDump`` in JSON), read and made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

_ADMIN = "type.googleapis.com/envoy.admin.v3."


class Dump:
    """``raw`` is what ``/config_dump`` answered; missing parts read as empty."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def part(self, name: str) -> Json:
        """One message of the dump, such as ``ClustersConfigDump``."""
        return next(
            (config for config in self.raw.get("configs") or [] if str(config.get("@type", "")).endswith("." + name)),
            {},
        )

    def clusters(self) -> list[Json]:
        """Active clusters, those of the bootstrap first; ones that are still warming are not in use."""
        part = self.part("ClustersConfigDump")
        return _inner(part, ("static_clusters", "dynamic_active_clusters"), "cluster")

    def listeners(self) -> list[Json]:
        part = self.part("ListenersConfigDump")
        active = [entry.get("active_state") or {} for entry in part.get("dynamic_listeners") or []]
        return _inner(part, ("static_listeners",), "listener") + [
            state["listener"] for state in active if "listener" in state
        ]

    def routes(self) -> list[Json]:
        part = self.part("RoutesConfigDump")
        return _inner(part, ("static_route_configs", "dynamic_route_configs"), "route_config")

    def bootstrap(self) -> Json:
        """The message BootstrapConfigDump."""
        return self.part("BootstrapConfigDump")

    def secrets(self) -> list[tuple[str, Json]]:
        """(``ACTIVE`` or ``WARMING``, the entry: name, version_info, last_updated, secret)."""
        part = self.part("SecretsConfigDump")
        active = [*(part.get("static_secrets") or []), *(part.get("dynamic_active_secrets") or [])]
        return [("ACTIVE", entry) for entry in active] + [
            ("WARMING", entry) for entry in part.get("dynamic_warming_secrets") or []
        ]


def _inner(part: Json, lists: Sequence[str], field: str) -> list[Json]:
    return [entry[field] for name in lists for entry in part.get(name) or [] if field in entry]


def of_resources(types: Mapping[str, Mapping[str, Json]], versions: Mapping[str, str]) -> Json:
    """A config dump with the resources (decoded, by type URL and name) where Envoy would show them.

    ``versions`` maps a resource's name within its type (``type/name``) to its version.
    """

    def wrap(type_name: str, field: str) -> list[Json]:
        url = next((url for url in types if url.endswith("." + type_name)), "")
        found = types.get(url, {})
        return [
            {"version_info": versions.get(f"{url}/{name}", ""), field: {"@type": url, **body}}
            for name, body in sorted(found.items())
        ]

    listeners = [
        {"name": entry["listener"].get("name", ""), "active_state": entry} for entry in wrap("Listener", "listener")
    ]
    parts: list[Json] = [
        {"@type": _ADMIN + "ClustersConfigDump", "dynamic_active_clusters": wrap("Cluster", "cluster")},
        {
            "@type": _ADMIN + "EndpointsConfigDump",
            "dynamic_endpoint_configs": wrap("ClusterLoadAssignment", "endpoint_config"),
        },
        {"@type": _ADMIN + "ListenersConfigDump", "dynamic_listeners": listeners},
        {"@type": _ADMIN + "RoutesConfigDump", "dynamic_route_configs": wrap("RouteConfiguration", "route_config")},
    ]
    return {"configs": parts}


def management(metadata: Json | None) -> str:
    """``name.namespace`` of the Istio object that made something, from metadata ``istio.config`` (row IX-10)."""
    config = str((((metadata or {}).get("filter_metadata") or {}).get("istio") or {}).get("config", ""))
    if not config:
        return ""
    pieces = config.split("/")
    if len(pieces) != 8 or pieces[1] != "apis" or pieces[2] != "networking.istio.io":
        return "<unknown>"
    return f"{pieces[7]}.{pieces[5]}"
