"""Which Conduct a proxy has: its ProxyConfig, and the tracer and loggers in force (rows MC-05, MC-12, PC-02, PC-06)."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from mizzen.api.decode import decode_proxy_config
from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.api.mesh_config import Tracing as TracingConfig
from mizzen.api.meta import Duration, Object
from mizzen.model.conduct import Conduct, Connections
from mizzen.model.config import ObjectKey
from mizzen.model.finding import Finding, Level
from mizzen.model.provider import Logger, LoggerKind, Tracer, TracerKind, Tracing
from mizzen.model.proxy import Proxy
from mizzen.model.snapshot import Snapshot
from mizzen.resolve import problems
from mizzen.resolve.providers import Found, usable

BAD_PROVIDER = "MZ0401"
DEFAULT_SAMPLING = 1.0
"""Percent of the traces, where nobody says (row TR-06)."""

_LIVE = ("proxyHeaders", "gatewayTopology", "tracing", "connectionSettings")
"""The fields of ProxyConfig that resources depend on."""
_BOOTSTRAP = {"zipkin": TracerKind.ZIPKIN, "datadog_agent": TracerKind.DATADOG}


def key(proxy: Proxy) -> Hashable:
    """Equal for proxies of equal Conduct in one snapshot."""
    own = {name: proxy.config[name] for name in _LIVE if name in proxy.config}
    text = json.dumps(own, sort_keys=True, default=str)
    return (text, proxy.bootstrap_tracer, proxy.bootstrap_logger, _connections(proxy.flags))


def conduct(snapshot: Snapshot, proxy: Proxy) -> Conduct:
    """The Conduct of ``proxy``, shared by all with the same :func:`key`."""
    place: Hashable = ("conduct", key(proxy))
    found = snapshot.interned.get(place)
    if found is None:
        found = snapshot.interned[place] = _conduct(snapshot, proxy)
    assert isinstance(found, Conduct)
    return found


def _conduct(snapshot: Snapshot, proxy: Proxy) -> Conduct:
    config = overlaid(snapshot.mesh.default_config, {k: v for k, v in proxy.config.items() if k in _LIVE})
    return Conduct(config, _tracing(snapshot, proxy, config), _loggers(snapshot, proxy), _connections(proxy.flags))


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


def _tracing(snapshot: Snapshot, proxy: Proxy, config: ProxyConfig) -> Tracing | None:
    """The first default provider; only without any the collector of the bootstrap, if tracing is enabled (row MC-05)."""
    mesh, own = snapshot.mesh, config.tracing or TracingConfig()
    names = mesh.default_providers.tracing
    tracer: Tracer | None = None
    if names:
        tracer = next(iter(usable(snapshot.providers, names[:1], Tracer)), None)
    elif mesh.enable_tracing and proxy.bootstrap_tracer in _BOOTSTRAP:
        kind = _BOOTSTRAP[proxy.bootstrap_tracer]
        tracer = Tracer(name=kind.value, kind=kind, cluster=proxy.bootstrap_tracer)
    if tracer is None:
        return None
    sampling = own.sampling or _default_sampling(snapshot.config.environment)
    return Tracing(
        tracer=tracer,
        sampling=100.0 if tracer.sampler else sampling if 0 < sampling <= 100 else DEFAULT_SAMPLING,
        tags=tuple(sorted(own.custom_tags.items())),
        path_length=tracer.max_tag_length or own.max_path_tag_length,
        istio_tags=own.enable_istio_tags is not False,
    )


def _default_sampling(environment: Mapping[str, str]) -> float:
    try:
        return float(environment.get("PILOT_TRACE_SAMPLING", DEFAULT_SAMPLING))
    except ValueError:
        return DEFAULT_SAMPLING


def _loggers(snapshot: Snapshot, proxy: Proxy) -> tuple[Logger, ...] | None:
    """In the order of their names. Default providers of which none can be used leave the mesh's own setting (TM-03)."""
    chosen = usable(snapshot.providers, snapshot.mesh.default_providers.access_logging, Logger)
    if chosen:
        return tuple(sorted(chosen, key=lambda logger: logger.name))
    if not (snapshot.mesh.enable_envoy_access_log_service and proxy.bootstrap_logger):
        return None
    own: list[Logger] = []
    if path := snapshot.mesh.access_log_file:
        own.append(Logger(name="envoy", kind=LoggerKind.FILE, path=path, follows_mesh=True))
    sink = "envoy_accesslog_service"
    http = Logger(name=sink, kind=LoggerKind.HTTP_ALS, cluster=sink, log_name="http_envoy_accesslog")
    tcp = Logger(name=sink, kind=LoggerKind.TCP_ALS, cluster=sink, log_name="tcp_envoy_accesslog")
    return (*own, http, tcp)


def provider_findings(mesh: MeshConfig, found: Found, config_maps: Mapping[ObjectKey, Object]) -> tuple[Finding, ...]:
    """Faulty providers, and names in ``defaultProviders`` that lead to none (rows MC-06, TM-12)."""
    source = config_maps.get(("istio-system", "istio"))
    if source is None:
        return ()
    texts = [why for why in found.values() if isinstance(why, str)]
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
