from __future__ import annotations

import pytest

from mizzen.analyze import ANALYZERS, analyze, chosen
from tests.unit.analyze.estates import estate, injected, obj, pod, service


@pytest.mark.row("IA-02", "IX-06")
def test_errors_come_first() -> None:
    found = analyze(
        estate(
            obj("Namespace", "b"),
            injected("default"),
            pod("old"),
            service("s", {"port": 1, "name": "foo"}),
            obj("Sidecar", "t", {"egress": [{"hosts": ["./*"]}]}),
            obj("Sidecar", "s", {"egress": [{"hosts": ["./*"]}]}),
        )
    )
    assert [(f.code, f.name) for f in found] == [
        ("IST0111", "s"),
        ("IST0111", "t"),
        ("IST0103", "old"),
        ("IST0102", "b"),
        ("IST0118", "s"),
    ]


@pytest.mark.row("IA-04")
def test_analyzers_by_name() -> None:
    assert [analyzer.name for analyzer in chosen(["service.PortNameAnalyzer", "ghost"])] == ["service.PortNameAnalyzer"]
    assert len(chosen(["ghost"])) == len(chosen([])) == len(ANALYZERS)
    assert len(chosen(["schema.ValidationAnalyzer"])) == 17
    only = analyze(estate(obj("Namespace", "b"), service("s", {"port": 1})), chosen(["service.PortNameAnalyzer"]))
    assert [finding.code for finding in only] == ["IST0118"]
    assert [analyzer.name for analyzer in chosen(["annotations.AlphaAnalyzer"])] == ["annotations.AlphaAnalyzer"]
