"""Telemetry (rows TM-01 to TM-13). A CEL expression or format that Envoy would refuse, and its listener with it, is refused."""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.api import cel, custom_tag
from mizzen.api.security import Provider
from mizzen.api.telemetry import METRICS, AccessLogging, Metrics, MetricsOverrides, TagOverride, Telemetry, Tracing
from mizzen.check import rules
from mizzen.check.notes import Notes
from mizzen.model.peer_fields import peer_fields


def validate(spec: Telemetry, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    rules.target_refs(notes, "spec", spec.target_ref, spec.target_refs, spec.selector)
    for index, tracing in enumerate(spec.tracing):
        _tracing(tracing, f"spec.tracing[{index}]", notes)
    for index, metrics in enumerate(spec.metrics):
        _metrics(metrics, f"spec.metrics[{index}]", notes)
    for index, logging in enumerate(spec.access_logging):
        _access_logging(logging, f"spec.accessLogging[{index}]", notes)


def _providers(providers: Sequence[Provider], path: str, notes: Notes) -> None:
    for index, provider in enumerate(providers):
        notes.need(bool(provider.name), f"{path}.providers[{index}].name", "a provider needs a name")


def _access_logging(logging: AccessLogging, path: str, notes: Notes) -> None:
    _providers(logging.providers, path, notes)
    if logging.filter is None:
        return
    where, expression = f"{path}.filter.expression", logging.filter.expression
    if notes.need(bool(expression.strip()), where, "an expression is required"):
        wrong = cel.problem(expression, texts=True)
        notes.need(not wrong, where, f"not an expression that proxies take: {wrong}")


def _tracing(tracing: Tracing, path: str, notes: Notes) -> None:
    _providers(tracing.providers, path, notes)
    if len(tracing.providers) > 1:
        notes.warn(f"{path}.providers", "only the first provider counts")
    rate = tracing.random_sampling_percentage
    if rate is not None:
        notes.need(0 <= rate <= 100, f"{path}.randomSamplingPercentage", f"{rate:g} is not from 0 to 100")
    for name, tag in (tracing.custom_tags or {}).items():
        if found := custom_tag.problem(name, tag):
            field, wrong = found
            notes.error(".".join(filter(None, (f"{path}.customTags", name, field))), wrong)


def _metrics(metrics: Metrics, path: str, notes: Notes) -> None:
    _providers(metrics.providers, path, notes)
    if metrics.reporting_interval is not None:
        rules.duration(notes, f"{path}.reportingInterval", metrics.reporting_interval, zero=True)
        notes.warn(f"{path}.reportingInterval", "has no effect: bytes count when a connection ends")
    for index, override in enumerate(metrics.overrides):
        _override(override, f"{path}.overrides[{index}]", notes)


def _override(override: MetricsOverrides, path: str, notes: Notes) -> None:
    custom = override.match.custom_metric if override.match is not None else None
    if custom is not None and notes.need(bool(custom), f"{path}.match.customMetric", "may not be empty"):
        known = custom.removeprefix("istio_") in METRICS.values()
        if not known:
            notes.warn(f"{path}.match.customMetric", f"has no effect: there is no metric {custom!r}")
    for name, tag in override.tag_overrides.items():
        notes.need(bool(name), f"{path}.tagOverrides", "a tag needs a name")
        _tag(tag, f"{path}.tagOverrides.{name}.value", notes)


def _tag(tag: TagOverride, path: str, notes: Notes) -> None:
    if tag.operation != "UPSERT":
        notes.need(not tag.value, path, "REMOVE takes no value")
        return
    if not notes.need(bool(tag.value.strip()), path, "UPSERT needs a value"):
        return
    wrong = cel.problem(cel.unwrapped(tag.value, "string"))
    if not notes.need(not wrong, path, f"not an expression that metrics take: {wrong}"):
        return
    for field in peer_fields(tag.value):
        if not field.name:
            notes.warn(
                path, f"{field.text} is unknown: of a peer, proxies know workload, app, version, namespace, cluster"
            )
