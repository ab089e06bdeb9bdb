"""Hosts and subsets of DestinationRules."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings


@pytest.mark.parametrize(("spec", "wrong"), [
    ({"host": "a", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}, []),
    ({}, ["spec.host"]),
    ({"host": "a", "subsets": [{"name": "x"}, {"name": "x"}]}, ["spec.subsets"]),
    ({"host": "a", "subsets": [{"name": ""}]}, ["spec.subsets[0].name"]),
    ({"host": "a", "subsets": [{"name": "x" * 63, "labels": {"a": "b"}}]}, []),
    ({"host": "a", "subsets": [{"name": "x" * 64, "labels": {"a": "b"}}]}, ["spec.subsets[0].name"]),
    ({"host": "a", "subsets": [{"name": "x", "trafficPolicy": {}}]}, ["spec.subsets[0].trafficPolicy"]),
    ({"host": "a", "workloadSelector": {"matchLabels": {"a": "b"}}, "exportTo": ["*"]}, ["spec.exportTo"]),
    ({"host": "a", "workloadSelector": {"matchLabels": {"a": "b"}}, "exportTo": ["."]}, []),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("DestinationRule", spec) == wrong


def test_a_subset_of_everything() -> None:
    assert warnings("DestinationRule", {"host": "a", "subsets": [{"name": "x"}]}) == ["spec.subsets[0].labels"]


@pytest.mark.row("DR-48")
def test_a_secret_that_sidecars_cannot_use() -> None:
    tls = {"mode": "MUTUAL", "credentialName": "c"}
    subset = {"name": "x", "labels": {"a": "b"}, "trafficPolicy": {"tls": tls}}
    entry = {"port": {"number": 80}, "tls": tls}
    spec = {"host": "a", "trafficPolicy": {"tls": tls, "portLevelSettings": [entry]}, "subsets": [subset]}
    assert warnings("DestinationRule", spec) == [
        "spec.trafficPolicy.tls.credentialName",
        "spec.trafficPolicy.portLevelSettings[0].tls.credentialName",
        "spec.subsets[0].trafficPolicy.tls.credentialName",
    ]
    chosen = {**spec, "workloadSelector": {"matchLabels": {"a": "b"}}}
    assert warnings("DestinationRule", chosen) == []
    public = {"host": "a", "trafficPolicy": {"tls": {"mode": "SIMPLE", "credentialName": "configmap://ns/c"}}}
    assert warnings("DestinationRule", public) == []
    wrong = {"host": "a", "trafficPolicy": {"tls": {"mode": "MUTUAL", "credentialName": "configmap://ns/c"}}}
    assert errors("DestinationRule", wrong) == ["spec.trafficPolicy.tls.credentialName"]
