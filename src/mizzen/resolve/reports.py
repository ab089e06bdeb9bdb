"""What a side of a proxy reports: Telemetry objects over the mesh's defaults (rows TM-01 to TM-13, MC-05, MC-12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mizzen.api import custom_tag
from mizzen.api.mesh_config import CustomTag, MeshConfig, ProxyConfig
from mizzen.api.mesh_config import Tracing as TracingConfig
from mizzen.api.meta import Object
from mizzen.api.telemetry import AccessLogging
from mizzen.api.telemetry import Tracing as TracingEntry
from mizzen.model.provider import Logger, LoggerKind, Tracer, TracerKind, Tracing
from mizzen.model.proxy import Proxy
from mizzen.model.report import Report
from mizzen.model.snapshot import Snapshot
from mizzen.resolve.metric_changes import metrics
from mizzen.resolve.providers import usable

DEFAULT_SAMPLING = 1.0
"""Percent of the traces, where nobody says (row TR-06)."""

CLIENT, SERVER = "CLIENT", "SERVER"
_BOOTSTRAP = {"zipkin": TracerKind.ZIPKIN, "datadog_agent": TracerKind.DATADOG}


def report(snapshot: Snapshot, proxy: Proxy, config: ProxyConfig, objects: Sequence[Object], side: str) -> Report:
    """Of the ``side`` CLIENT or SERVER; gateways have only the first. ``objects`` are the Telemetries, wide to narrow."""
    return Report(
        tracing=_tracing(snapshot, proxy, config, [e for o in objects for e in o.body.tracing if fits(e.match, side)]),
        loggers=_loggers(snapshot, proxy, [o.body.access_logging for o in objects if o.body.access_logging], side),
        metrics=metrics(snapshot.mesh, [entry for o in objects for entry in o.body.metrics], side),
    )


def fits(match: object, side: str) -> bool:
    """Whether an entry with this ``match`` is for ``side``; without one it is for both."""
    return getattr(match, "mode", side) in (side, "CLIENT_AND_SERVER")


@dataclass
class _Wanted:
    """What the entries say of traces, while they are read."""

    provider: str = ""
    off: bool = False
    sampling: float | None = None
    tags: Mapping[str, CustomTag] | None = None
    istio_tags: bool | None = None
    by_request_id: bool = True
    propagation: bool = True

    def take(self, entry: TracingEntry) -> None:
        """A narrower entry: what it sets goes before what was set."""
        if entry.providers:
            self.provider = entry.providers[0].name
        if entry.disable_span_reporting is not None:
            self.off = entry.disable_span_reporting
        if entry.random_sampling_percentage is not None:
            self.sampling = entry.random_sampling_percentage
        if entry.custom_tags is not None:
            self.tags = entry.custom_tags
        if entry.enable_istio_tags is not None:
            self.istio_tags = entry.enable_istio_tags
        if entry.use_request_id_for_trace_sampling is not None:
            self.by_request_id = entry.use_request_id_for_trace_sampling
        if entry.disable_context_propagation is not None:
            self.propagation = not entry.disable_context_propagation


def _tracing(snapshot: Snapshot, proxy: Proxy, config: ProxyConfig, entries: Sequence[TracingEntry]) -> Tracing | None:
    """The provider of the narrowest entry, else the first default one; only without any of them, and without entries,
    the collector of the bootstrap, if tracing is enabled (rows MC-05, TM-07)."""
    mesh, own = snapshot.mesh, config.tracing or TracingConfig()
    wanted = _Wanted(provider=next(iter(mesh.default_providers.tracing), ""))
    for entry in entries:
        wanted.take(entry)
    tracer: Tracer | None = None
    if wanted.provider or entries:
        tracer = next(iter(usable(snapshot.providers, [wanted.provider], Tracer)), None)
    elif mesh.enable_tracing and proxy.bootstrap_tracer in _BOOTSTRAP:
        kind = _BOOTSTRAP[proxy.bootstrap_tracer]
        tracer = Tracer(name=kind.value, kind=kind, cluster=proxy.bootstrap_tracer)
    if tracer is None or wanted.off:
        return None
    tags = _good(own.custom_tags) if wanted.tags is None else wanted.tags
    switched = own.enable_istio_tags if wanted.istio_tags is None else wanted.istio_tags
    return Tracing(
        tracer=tracer,
        sampling=_sampling(tracer, wanted, own, snapshot.config.environment),
        tags=tuple(sorted(tags.items())),
        path_length=tracer.max_tag_length or own.max_path_tag_length,
        istio_tags=switched is not False,
        by_request_id=wanted.by_request_id,
        propagation=wanted.propagation,
    )


def _good(tags: Mapping[str, CustomTag]) -> Mapping[str, CustomTag]:
    """A faulty tag of ProxyConfig is left out, and told where it is MeshConfig's; Envoy would refuse the listener."""
    return {name: tag for name, tag in tags.items() if custom_tag.problem(name, tag) is None}


def _sampling(tracer: Tracer, wanted: _Wanted, own: TracingConfig, environment: Mapping[str, str]) -> float:
    """Rows TM-08, TR-06: nought is a value in Telemetry, and none in ProxyConfig."""
    if tracer.sampler:
        return 100.0
    if wanted.sampling is not None:
        return wanted.sampling
    sampling = own.sampling or _default_sampling(environment)
    return sampling if 0 < sampling <= 100 else DEFAULT_SAMPLING


def _default_sampling(environment: Mapping[str, str]) -> float:
    try:
        return float(environment.get("PILOT_TRACE_SAMPLING", DEFAULT_SAMPLING))
    except ValueError:
        return DEFAULT_SAMPLING


def _loggers(
    snapshot: Snapshot, proxy: Proxy, levels: Sequence[Sequence[AccessLogging]], side: str
) -> tuple[Logger, ...] | None:
    """In the order of their names. Where no name, of either side, can be used, the mesh's own setting holds (TM-03)."""
    defaults = [name.lower() for name in snapshot.mesh.default_providers.access_logging]
    named = [provider.name.lower() for level in levels for entry in level for provider in entry.providers]
    if not usable(snapshot.providers, [*defaults, *named], Logger):
        return _mesh_loggers(snapshot.mesh, proxy)
    chosen = _chosen(levels, defaults, side)
    found = [
        replace(logger, filter=expression)
        for name, expression in chosen.items()
        for logger in usable(snapshot.providers, [name], Logger)
    ]
    return tuple(sorted(found, key=lambda logger: logger.name))


def _chosen(levels: Sequence[Sequence[AccessLogging]], defaults: Sequence[str], side: str) -> dict[str, str]:
    """Provider to filter. The narrowest level that names providers says which there may be, and the last entry for one of
    them what becomes of it; a default provider is there from the start only where no entry names any."""
    scope = _scope(levels, defaults, side)
    named = any(entry.providers for level in levels for entry in level)
    chosen = {} if named else dict.fromkeys(scope, "")
    inherited = defaults
    for entry in (entry for level in levels for entry in level if fits(entry.match, side)):
        inherited = [provider.name.lower() for provider in entry.providers] or inherited
        for name in inherited:
            if entry.disabled:
                chosen.pop(name, None)
            elif name in scope:
                chosen[name] = entry.filter.expression if entry.filter else ""
    return chosen


def _scope(levels: Sequence[Sequence[AccessLogging]], defaults: Iterable[str], side: str) -> Iterable[str]:
    scope = defaults
    for level in levels:
        names = [provider.name.lower() for entry in level if fits(entry.match, side) for provider in entry.providers]
        scope = names or scope
    return scope


def _mesh_loggers(mesh: MeshConfig, proxy: Proxy) -> tuple[Logger, ...] | None:
    if not (mesh.enable_envoy_access_log_service and proxy.bootstrap_logger):
        return None
    own: list[Logger] = []
    if path := mesh.access_log_file:
        own.append(Logger(name="envoy", kind=LoggerKind.FILE, path=path, follows_mesh=True))
    sink = "envoy_accesslog_service"
    http = Logger(name=sink, kind=LoggerKind.HTTP_ALS, cluster=sink, log_name="http_envoy_accesslog")
    tcp = Logger(name=sink, kind=LoggerKind.TCP_ALS, cluster=sink, log_name="tcp_envoy_accesslog")
    return (*own, http, tcp)
