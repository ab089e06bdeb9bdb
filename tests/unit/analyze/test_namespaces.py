from __future__ import annotations

import json

import pytest

from mizzen.analyze.namespaces import injection
from tests.unit.analyze.estates import fields, found, injected, meshed, messages, obj, pod


@pytest.mark.row("IM-04")
def test_a_namespace_that_does_not_say() -> None:
    assert fields(injection, obj("Namespace", "a")) == [("IST0102", "metadata.name")]
    assert found(injection, obj("Namespace", "a", labels={"istio-injection": ""})) == [("IST0102", "Namespace a")]
    for labels in ({"istio-injection": "disabled"}, {"istio.io/rev": "x"}, {"istio.io/dataplane-mode": "ambient"}):
        assert found(injection, obj("Namespace", "a", labels=labels)) == []
    assert found(injection, obj("Namespace", "istio-system")) == []


@pytest.mark.row("IM-32")
def test_everything_is_injected_by_default() -> None:
    values = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}}
    config = obj("ConfigMap", "istio-sidecar-injector", namespace="istio-system", data={"values": json.dumps(values)})
    assert found(injection, obj("Namespace", "a"), config) == [("IST0148", "Namespace a")]
    away = {**config, "metadata": {"name": "istio-sidecar-injector", "namespace": "a"}, "data": {"values": "{}"}}
    assert found(injection, obj("Namespace", "a"), away, config) == [("IST0148", "Namespace a")]
    other = {**config, "metadata": {"name": "other", "namespace": "istio-system"}}
    assert found(injection, obj("Namespace", "a"), other) == [("IST0102", "Namespace a")]
    values = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": False}}
    config["data"] = {"values": json.dumps(values)}
    assert found(injection, obj("Namespace", "a"), config) == [("IST0102", "Namespace a")]


@pytest.mark.row("IM-05")
def test_a_pod_without_sidecar_in_an_injected_namespace() -> None:
    assert found(injection, injected("default"), pod("old")) == [("IST0103", "Pod default/old")]
    assert found(injection, injected("default"), meshed("new")) == []
    native = {"containers": [], "initContainers": [{"name": "istio-proxy", "image": "x"}]}
    assert found(injection, injected("default"), pod("native", spec=native)) == []
    host = {"containers": [{"name": "a"}], "hostNetwork": True}
    assert found(injection, injected("default"), pod("host", spec=host)) == []


@pytest.mark.row("IM-05")
def test_a_pod_that_refuses_injection() -> None:
    labelled = obj("Pod", "a", {}, labels={"sidecar.istio.io/inject": "False"})
    annotated = obj("Pod", "a", {}, annotations={"sidecar.istio.io/inject": "false"})
    both = obj(
        "Pod", "a", {}, labels={"sidecar.istio.io/inject": "true"}, annotations={"sidecar.istio.io/inject": "false"}
    )
    assert found(injection, injected("default"), labelled) == found(injection, injected("default"), annotated) == []
    assert found(injection, injected("default"), both) == [("IST0103", "Pod default/a")]


@pytest.mark.row("IM-05")
def test_namespaces_whose_pods_are_not_looked_at() -> None:
    assert found(injection, obj("Namespace", "default", labels={"istio.io/rev": "x"}), pod("a")) == []
    assert found(injection, pod("a")) == []
    ambient = injected("default", **{"istio.io/dataplane-mode": "ambient"})
    assert ("IST0103", "Pod default/a") not in found(injection, ambient, pod("a"))
    assert found(injection, injected("istio-system"), pod("a", "istio-system")) == []


@pytest.mark.row("IM-13")
def test_labels_that_contradict_each_other() -> None:
    both = {"istio-injection": "enabled", "istio.io/rev": "canary"}
    assert found(injection, obj("Namespace", "a", labels=both)) == [("IST0123", "Namespace a")]
    assert "istio-injection=enabled, istio.io/rev=canary" in messages(injection, obj("Namespace", "a", labels=both))[0]
    modes = {"istio.io/rev": "canary", "istio.io/dataplane-mode": "ambient"}
    assert found(injection, obj("Namespace", "a", labels=modes)) == [("IST0123", "Namespace a")]
    off = {"istio-injection": "disabled", "istio.io/rev": "canary"}
    assert found(injection, obj("Namespace", "a", labels=off)) == []
    assert found(injection, obj("Namespace", "istio-system", labels=both)) == []
