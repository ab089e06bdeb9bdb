"""Which metrics a side has, and how they differ from Istio's own (rows TM-04, TM-06)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.telemetry import METRICS, MetricsOverrides, TagOverride
from mizzen.api.telemetry import Metrics as MetricsEntry
from mizzen.model.report import MetricChange, Metrics, TagChange
from mizzen.resolve.telemetry import PROMETHEUS, is_prometheus

_ALL = "ALL_METRICS"


@dataclass
class _Change:
    disabled: bool = False
    tags: dict[str, TagOverride] = field(default_factory=dict)


def metrics(mesh: MeshConfig, entries: Sequence[MetricsEntry], side: str) -> Metrics | None:
    """Of the ``side`` CLIENT or SERVER, after every override of ``entries``, wide to narrow. None: there are none, because
    an override switches all off, or because a provider other than Prometheus is named."""
    defaults = mesh.default_providers.metrics or (PROMETHEUS,)
    scope = next((_names(entry) for entry in reversed(entries) if entry.providers), defaults)
    if not any(is_prometheus(mesh, name) for name in scope):
        return None
    changes: dict[str, _Change] = {}
    dropped = False
    for override in _overrides(mesh, entries, defaults):
        match = override.match
        if match is not None and match.mode not in (side, "CLIENT_AND_SERVER"):
            continue
        if match is not None and match.metric == _ALL and override.disabled:
            dropped = True
            continue
        dropped = False
        for name in _matched(override):
            _take(changes.setdefault(name, _Change()), override)
    return None if dropped else Metrics(tuple(_changed(name, changes[name]) for name in sorted(changes)))


def _names(entry: MetricsEntry) -> tuple[str, ...]:
    return tuple(provider.name for provider in entry.providers)


def _overrides(
    mesh: MeshConfig, entries: Iterable[MetricsEntry], defaults: tuple[str, ...]
) -> Iterable[MetricsOverrides]:
    """Those of the entries for Prometheus; an entry without providers is for those of the entry before it."""
    names = defaults
    for entry in entries:
        names = _names(entry) or names
        if any(is_prometheus(mesh, name) for name in names):
            yield from entry.overrides


def _matched(override: MetricsOverrides) -> Iterable[str]:
    match = override.match
    if match is not None and match.custom_metric:
        return (match.custom_metric.removeprefix("istio_"),)
    if match is None or match.metric in (None, _ALL):
        return METRICS.values()
    return (METRICS[match.metric],)


def _take(change: _Change, override: MetricsOverrides) -> None:
    if override.disabled is not None:
        change.disabled = override.disabled
    change.tags.update(override.tag_overrides)


def _changed(name: str, change: _Change) -> MetricChange:
    tags = (TagChange(tag, change.tags[tag].value) for tag in sorted(change.tags))
    return MetricChange(name, change.disabled, tuple(tags))
