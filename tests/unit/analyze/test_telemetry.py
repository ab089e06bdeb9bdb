from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.telemetry import default_selectors, providers, selectors
from tests.unit.analyze.estates import Json, found, messages, obj, pod


def telemetry(name: str = "t", namespace: str = "default", **spec: Any) -> Json:
    return obj("Telemetry", name, spec, namespace)


def chosen(name: str, namespace: str = "default", **labels: str) -> Json:
    return telemetry(name, namespace, selector={"matchLabels": labels})


@pytest.mark.row("IM-36")
def test_access_logs_without_a_provider() -> None:
    assert found(providers, telemetry(accessLogging=[{}])) == [("IST0157", "Telemetry default/t")]
    assert found(providers, telemetry(accessLogging=[{"disabled": True}])) == []
    assert found(providers, telemetry(accessLogging=[{"providers": [{"name": "envoy"}]}])) == []
    assert found(providers, telemetry(tracing=[{}], metrics=[{}])) == []
    mesh = {"defaultProviders": {"accessLogging": ["envoy"]}}
    assert found(providers, telemetry(accessLogging=[{}]), mesh=mesh) == []


@pytest.mark.row("IM-36")
def test_two_telemetries_without_selector() -> None:
    told = [("IST0160", "Telemetry default/s"), ("IST0160", "Telemetry default/t")]
    target = telemetry("t", targetRefs=[{"group": "", "kind": "Service", "name": "x"}])
    assert (
        found(default_selectors, telemetry("s"), telemetry("t"))
        == found(default_selectors, telemetry("s"), target)
        == told
    )
    assert found(default_selectors, telemetry("s"), telemetry("t", "other")) == []
    assert found(default_selectors, telemetry("s"), telemetry("t", selector={})) == []
    assert "s, t" in messages(default_selectors, telemetry("t"), telemetry("s"))[0]


@pytest.mark.row("IM-36")
def test_two_telemetries_for_one_pod() -> None:
    told = [("IST0159", "Telemetry default/s"), ("IST0159", "Telemetry default/t")]
    both = [chosen("s", app="a"), chosen("t", version="v1")]
    assert found(selectors, *both, pod("p", app="a", version="v1")) == told
    assert found(selectors, *both, pod("p", app="a"), pod("q", version="v1")) == []


@pytest.mark.row("IM-03")
def test_a_selector_that_finds_no_pod() -> None:
    assert found(selectors, chosen("s", app="a"), pod("p", "other", app="a")) == [("IST0101", "Telemetry default/s")]
    assert found(selectors, chosen("s", app="a"), pod("p", app="a")) == []
