"""Telemetry. Rows TE-*."""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.api.security import Provider
from mizzen.api.telemetry import Metrics, Telemetry, Tracing
from mizzen.check import rules
from mizzen.check.notes import Notes


def validate(spec: Telemetry, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    rules.target_refs(notes, "spec", spec.target_ref, spec.target_refs, spec.selector)
    for index, tracing in enumerate(spec.tracing):
        _tracing(tracing, f"spec.tracing[{index}]", notes)
    for index, metrics in enumerate(spec.metrics):
        _metrics(metrics, f"spec.metrics[{index}]", notes)
    for index, logging in enumerate(spec.access_logging):
        _providers(logging.providers, f"spec.accessLogging[{index}]", notes)


def _providers(providers: Sequence[Provider], path: str, notes: Notes) -> None:
    for index, provider in enumerate(providers):
        notes.need(bool(provider.name), f"{path}.providers[{index}].name", "a provider needs a name")


def _tracing(tracing: Tracing, path: str, notes: Notes) -> None:
    _providers(tracing.providers, path, notes)
    notes.need(len(tracing.providers) < 2, f"{path}.providers", "only one tracing provider is supported")
    rate = tracing.random_sampling_percentage
    if rate is not None:
        notes.need(0 <= rate <= 100, f"{path}.randomSamplingPercentage", f"{rate:g} is not from 0 to 100")
    for name, tag in tracing.custom_tags.items():
        where = f"{path}.customTags.{name}"
        notes.need(bool(name), f"{path}.customTags", "a tag needs a name")
        kinds = [kind for kind in ("literal", "environment", "header", "formatter") if kind in tag]
        if not notes.need(len(kinds) == 1, where, "one of literal, environment, header and formatter is required"):
            continue
        _custom_tag(kinds[0], tag[kinds[0]], where, notes)


def _custom_tag(kind: str, value: object, path: str, notes: Notes) -> None:
    if kind in ("environment", "header"):
        named = isinstance(value, dict) and bool(value.get("name"))
        notes.need(named, f"{path}.{kind}.name", "a name is required")


def _metrics(metrics: Metrics, path: str, notes: Notes) -> None:
    _providers(metrics.providers, path, notes)
    if metrics.reporting_interval is not None:
        rules.duration(notes, f"{path}.reportingInterval", metrics.reporting_interval, zero=True)
    for index, override in enumerate(metrics.overrides):
        where = f"{path}.overrides[{index}]"
        match = override.match
        if match is not None and match.custom_metric is not None:
            notes.need(bool(match.custom_metric), f"{where}.match.customMetric", "may not be empty")
        for name, tag in override.tag_overrides.items():
            tag_path = f"{where}.tagOverrides.{name}"
            notes.need(bool(name), f"{where}.tagOverrides", "a tag needs a name")
            if tag.operation == "UPSERT":
                notes.need(bool(tag.value), f"{tag_path}.value", "UPSERT needs a value")
            else:
                notes.need(not tag.value, f"{tag_path}.value", "REMOVE takes no value")
