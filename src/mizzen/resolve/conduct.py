"""Which Conduct a proxy has: its ProxyConfig, and the tracer and loggers in force (rows MC-05, MC-12, PC-02, PC-06)."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from mizzen.api.decode import decode_proxy_config
from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.api.meta import Duration, Object
from mizzen.model.conduct import Conduct, Connections
from mizzen.model.config import ObjectKey
from mizzen.model.finding import Finding, Level
from mizzen.model.provider import Logger, Tracer
from mizzen.model.proxy import Proxy
from mizzen.model.snapshot import Snapshot
from mizzen.resolve import problems
from mizzen.resolve.providers import Found
from mizzen.resolve.reports import CLIENT, SERVER, report
from mizzen.resolve.telemetry import applicable

BAD_PROVIDER = "MZ0401"
_LIVE = ("proxyHeaders", "gatewayTopology", "tracing", "connectionSettings")
"""The fields of ProxyConfig that resources depend on."""


def key(snapshot: Snapshot, proxy: Proxy) -> Hashable:
    """Equal for proxies of equal Conduct in one snapshot."""
    own = {name: proxy.config[name] for name in _LIVE if name in proxy.config}
    text = json.dumps(own, sort_keys=True, default=str)
    telemetry = tuple((obj.namespace, obj.name) for obj in applicable(snapshot, proxy))
    return (text, proxy.bootstrap_tracer, proxy.bootstrap_logger, _connections(proxy.flags), telemetry)


def conduct(snapshot: Snapshot, proxy: Proxy) -> Conduct:
    """The Conduct of ``proxy``, shared by all with the same :func:`key`."""
    place: Hashable = ("conduct", key(snapshot, proxy))
    found = snapshot.interned.get(place)
    if found is None:
        found = snapshot.interned[place] = _conduct(snapshot, proxy)
    assert isinstance(found, Conduct)
    return found


def _conduct(snapshot: Snapshot, proxy: Proxy) -> Conduct:
    config = overlaid(snapshot.mesh.default_config, {k: v for k, v in proxy.config.items() if k in _LIVE})
    objects = applicable(snapshot, proxy)
    client, server = (report(snapshot, proxy, config, objects, side) for side in (CLIENT, SERVER))
    return Conduct(config, client, server, _connections(proxy.flags))


def _connections(flags: Mapping[str, str]) -> Connections:
    """Row IL-09; an idle time that is no duration counts as none, as in Istio."""
    try:
        idle = Duration.parse(flags.get("IDLE_TIMEOUT", ""))
    except ValueError:
        idle = None
    inbound, outbound = (
        flags.get(f"{side}_LISTENER_EXACT_BALANCE", "").lower() == "true" for side in ("INBOUND", "OUTBOUND")
    )
    return Connections(idle, inbound, outbound)


def overlaid(mesh: ProxyConfig, own: dict[str, Any]) -> ProxyConfig:
    """``own`` over ``mesh``: whole fields, except that members of proxyHeaders that are not given stay (row PC-02)."""
    patch, _ = decode_proxy_config(own)
    given = {field.name for field in msgspec.structs.fields(ProxyConfig) if field.encode_name in own}
    changes = {name: getattr(patch, name) for name in given}
    if "proxy_headers" in changes:
        changes["proxy_headers"] = {**mesh.proxy_headers, **changes["proxy_headers"]}
    return replace(mesh, **changes) if changes else mesh


def provider_findings(mesh: MeshConfig, found: Found, config_maps: Mapping[ObjectKey, Object]) -> tuple[Finding, ...]:
    """Faulty providers, and names in ``defaultProviders`` that lead to none (rows MC-06, TM-12)."""
    source = config_maps.get(("istio-system", "istio"))
    if source is None:
        return ()
    texts = [why for why in found.values() if isinstance(why, str)]
    for logger in (provider for provider in found.values() if isinstance(provider, Logger) and provider.format_fault):
        texts.append(f"provider {logger.name}: logFormat: {logger.format_fault}; the default format is used")
    defaults = mesh.default_providers
    for section, names, kind in (
        ("tracing", defaults.tracing, Tracer),
        ("accessLogging", defaults.access_logging, Logger),
    ):
        for name in names:
            provider = found.get(name.lower())
            if provider is None:
                texts.append(f"defaultProviders.{section}: no extension provider {name!r} is defined")
            elif not isinstance(provider, (kind, str)):
                texts.append(f"defaultProviders.{section}: provider {name!r} is of another sort")
    if len(defaults.tracing) > 1:
        texts.append(f"defaultProviders.tracing: only the first, {defaults.tracing[0]!r}, is used")
    return tuple(problems.about(source, BAD_PROVIDER, Level.WARNING, text, "data.mesh") for text in texts)
