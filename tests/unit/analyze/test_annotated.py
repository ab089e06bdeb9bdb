from __future__ import annotations

import pytest

from mizzen.analyze.annotated import alpha, misused
from tests.unit.analyze.estates import Json, found, messages, obj


def told(kind: str, key: str, value: str = "x", **more: Json) -> list[str]:
    return [code for code, _ in found(misused, obj(kind, "a", {}, annotations={key: value}, **more))]


@pytest.mark.row("IM-07", "AN-23")
def test_unknown_annotations() -> None:
    for kind in ("Namespace", "Service", "Pod", "Deployment"):
        assert told(kind, "foo.istio.io/bar") == told(kind, "sidecar.istio.io/injekt") == ["IST0108"]
        assert told(kind, "example.com/bar") == told(kind, "istio.io.example/bar") == told(kind, "istio.io") == []
    assert told("ServiceAccount", "foo.istio.io/bar") == []


@pytest.mark.row("IM-07", "AN-23")
def test_misplaced_annotations() -> None:
    assert told("Service", "sidecar.istio.io/proxyCPU", "1") == ["IST0107"]
    assert told("Pod", "sidecar.istio.io/proxyCPU", "1") == []
    assert told("Service", "networking.istio.io/exportTo") == []
    assert told("Pod", "kubernetes.io/ingress.class") == ["IST0107"]
    assert told("Namespace", "galley.istio.io/analyze-suppress") == []
    text = messages(misused, obj("Pod", "a", {}, annotations={"networking.istio.io/traffic-distribution": "x"}))
    assert text == [
        "annotation networking.istio.io/traffic-distribution works on Service, ServiceEntry, Namespace only"
    ]


@pytest.mark.row("IM-07")
def test_annotations_that_the_mesh_writes() -> None:
    for key in ("sidecar.istio.io/status", "gateway.istio.io/controller-version", "istio.io/rev"):
        assert told("Service", key) == []


@pytest.mark.row("IM-22", "AN-23")
def test_deprecated_annotations() -> None:
    assert told("Pod", "sidecar.istio.io/inject", "true") == ["IST0135"]
    assert told("Pod", "sidecar.istio.io/inject", "true", labels={"sidecar.istio.io/inject": "true"}) == []
    assert told("Pod", "sidecar.istio.io/discoveryAddress", labels={"sidecar.istio.io/inject": "true"}) == ["IST0135"]
    assert told("Service", "sidecar.istio.io/discoveryAddress") == ["IST0135", "IST0107"]
    text = messages(misused, obj("Pod", "a", {}, annotations={"sidecar.istio.io/inject": "true"}))
    assert text == ["annotation sidecar.istio.io/inject is deprecated in favour of the label of the same name"]


@pytest.mark.row("IM-14", "AN-23")
@pytest.mark.parametrize(("key", "bad", "good"), [
    ("sidecar.istio.io/interceptionMode", "BOTH", "TPROXY"),
    ("status.sidecar.istio.io/port", "abc", "15020"),
    ("readiness.status.sidecar.istio.io/initialDelaySeconds", "-1", "1"),
    ("readiness.status.sidecar.istio.io/periodSeconds", "1s", "1"),
    ("readiness.status.sidecar.istio.io/failureThreshold", "x", "1"),
    ("traffic.sidecar.istio.io/includeOutboundIPRanges", "1.2.3.4", "*"),
    ("traffic.sidecar.istio.io/excludeOutboundIPRanges", "*", "10.0.0.0/8"),
    ("traffic.sidecar.istio.io/includeInboundPorts", "abc", "*"),
    ("traffic.sidecar.istio.io/excludeInboundPorts", "70000", "80,81"),
    ("traffic.sidecar.istio.io/excludeOutboundPorts", "*", "80"),
    ("traffic.sidecar.istio.io/excludeInterfaces", "eth 0", "eth0"),
    ("istio.io/reroute-virtual-interfaces", "eth 0", "eth0"),
    ("prometheus.istio.io/merge-metrics", "yes", "true"),
    ("proxy.istio.io/config", "[1]", "concurrency: 2"),
    ("proxy.istio.io/config", "{", ""),
    ("sidecar.istio.io/proxyCPU", "much", "100m"), ("sidecar.istio.io/proxyMemory", "much", "1Gi"),
    ("sidecar.istio.io/proxyCPULimit", "much", "2"), ("sidecar.istio.io/proxyMemoryLimit", "much", "2Gi"),
])  # fmt: skip
def test_values(key: str, bad: str, good: str) -> None:
    assert told("Pod", key, bad) == ["IST0125"]
    assert told("Pod", key, good) == []


@pytest.mark.row("IM-14", "IM-22")
def test_the_value_of_a_deprecated_one_is_looked_at_too() -> None:
    key = "traffic.sidecar.istio.io/kubevirtInterfaces"
    assert (told("Pod", key, "eth 0"), told("Pod", key, "eth0")) == (["IST0135", "IST0125"], ["IST0135"])


@pytest.mark.row("IM-22", "AN-23")
def test_alpha_annotations() -> None:
    def codes(kind: str, key: str, **spec: object) -> list[str]:
        return [code for code, _ in found(alpha, obj(kind, "a", spec, annotations={key: "x"}))]

    assert (
        codes("Pod", "sidecar.istio.io/logLevel") == codes("Deployment", "networking.istio.io/exportTo") == ["IST0136"]
    )
    for key in ("proxy.istio.io/config", "sidecar.istio.io/inject", "sidecar.istio.io/status", "foo.istio.io/bar"):
        assert codes("Pod", key) == []
    for key in ("includeInboundPorts", "excludeInboundPorts", "includeOutboundIPRanges"):
        assert codes("Pod", f"traffic.sidecar.istio.io/{key}") == []
        assert codes("Deployment", f"traffic.sidecar.istio.io/{key}") == ["IST0136"]
    assert codes("Pod", "sidecar.istio.io/interceptionMode") == []
    assert codes("Pod", "sidecar.istio.io/interceptionMode", initContainers=[{"name": "istio-init"}]) == ["IST0136"]
    assert codes("Deployment", "sidecar.istio.io/interceptionMode") == ["IST0136"]
