"""Telemetry."""

from typing import Any

import pytest

from tests.unit.check.judging import errors


@pytest.mark.parametrize(("spec", "wrong"), [
    ({"tracing": [{"randomSamplingPercentage": 5, "customTags": {"a": {"literal": {"value": "x"}}}}]}, []),
    ({"tracing": [{"randomSamplingPercentage": 101}]}, ["spec.tracing[0].randomSamplingPercentage"]),
    ({"tracing": [{"providers": [{"name": "a"}, {"name": ""}]}]}, ["spec.tracing[0].providers[1].name", "spec.tracing[0].providers"]),
    ({"tracing": [{"customTags": {"a": {}, "b": {"header": {}}}}]}, ["spec.tracing[0].customTags.a", "spec.tracing[0].customTags.b.header.name"]),
    ({"metrics": [{"overrides": [{"tagOverrides": {"a": {}, "b": {"operation": "REMOVE", "value": "x"}}}]}]},
     ["spec.metrics[0].overrides[0].tagOverrides.a.value", "spec.metrics[0].overrides[0].tagOverrides.b.value"]),
    ({"metrics": [{"overrides": [{"match": {"customMetric": ""}}], "reportingInterval": "1us"}]},
     ["spec.metrics[0].reportingInterval", "spec.metrics[0].overrides[0].match.customMetric"]),
    ({"accessLogging": [{"providers": [{}]}]}, ["spec.accessLogging[0].providers[0].name"]),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("Telemetry", spec) == wrong
