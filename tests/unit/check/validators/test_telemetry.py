"""Telemetry."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings


@pytest.mark.row("TM-02", "TM-04", "TM-08", "TM-10")
@pytest.mark.parametrize(("spec", "wrong"), [
    ({"tracing": [{"randomSamplingPercentage": 5, "customTags": {"a": {"literal": {"value": "x"}}}}]}, []),
    ({"tracing": [{"randomSamplingPercentage": 101}]}, ["spec.tracing[0].randomSamplingPercentage"]),
    ({"tracing": [{"randomSamplingPercentage": -1}]}, ["spec.tracing[0].randomSamplingPercentage"]),
    ({"tracing": [{"providers": [{"name": "a"}, {"name": ""}]}]}, ["spec.tracing[0].providers[1].name"]),
    ({"tracing": [{"customTags": {"a": {}, "b": {"header": {}}}}]}, ["spec.tracing[0].customTags.a", "spec.tracing[0].customTags.b.header.name"]),
    ({"metrics": [{"overrides": [{"tagOverrides": {"a": {}, "b": {"operation": "REMOVE", "value": "x"}}}]}]},
     ["spec.metrics[0].overrides[0].tagOverrides.a.value", "spec.metrics[0].overrides[0].tagOverrides.b.value"]),
    ({"metrics": [{"overrides": [{"match": {"customMetric": ""}}], "reportingInterval": "1us"}]},
     ["spec.metrics[0].reportingInterval", "spec.metrics[0].overrides[0].match.customMetric"]),
    ({"accessLogging": [{"providers": [{}]}]}, ["spec.accessLogging[0].providers[0].name"]),
    ({"accessLogging": [{"filter": {"expression": "response.code >= 400 && string(response.code) != '418'"}}]}, []),
    ({"accessLogging": [{"filter": {"expression": "a ="}}, {"filter": {}}]},
     ["spec.accessLogging[0].filter.expression", "spec.accessLogging[1].filter.expression"]),
    ({"tracing": [{"customTags": {"a": {"literal": {}}, "b": {"header": {"name": "no name"}}, "c": {"formatter": {"value": "%OOPS%"}},
                                  "d": {"formatter": {"value": "%REQ(a)%"}},
                                  "e": {"formatter": {"value": "%REQ_WITHOUT_QUERY(:PATH)%"}}}}]},
     ["spec.tracing[0].customTags.a.literal.value", "spec.tracing[0].customTags.b.header.name", "spec.tracing[0].customTags.c.formatter.value",
      "spec.tracing[0].customTags.e.formatter.value"]),
    ({"metrics": [{"overrides": [{"tagOverrides": {"a": {"value": "string(destination.port)"}, "b": {"value": "request.path.split('/')"}}}]}]},
     ["spec.metrics[0].overrides[0].tagOverrides.b.value"]),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("Telemetry", spec) == wrong


@pytest.mark.row("TM-07")
def test_of_several_tracing_providers_the_first_counts() -> None:
    spec = {"tracing": [{"providers": [{"name": "a"}, {"name": "b"}]}]}
    assert errors("Telemetry", spec) == []
    assert warnings("Telemetry", spec) == ["spec.tracing[0].providers"]


@pytest.mark.row("TM-04", "TM-05")
def test_what_is_taken_without_effect_is_told() -> None:
    tags = {"a": {"value": "upstream_peer.labels['team']"}, "b": {"value": "upstream_peer.labels['app']"}}
    overrides = [{"match": {"customMetric": "mine"}, "tagOverrides": tags}]
    found = warnings("Telemetry", {"metrics": [{"reportingInterval": "5s", "overrides": overrides}]})
    assert found == [
        "spec.metrics[0].reportingInterval",
        "spec.metrics[0].overrides[0].match.customMetric",
        "spec.metrics[0].overrides[0].tagOverrides.a.value",
    ]
