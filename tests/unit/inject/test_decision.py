"""Rows IJ-01..03, 07..09: who gets a proxy."""

import pytest

from mizzen.inject.decision import decide, handle
from mizzen.inject.settings import InjectNamespace, InjectSettings

PLAIN = InjectNamespace("plain")
ENABLED = InjectNamespace("shop", {"istio-injection": "enabled"})


def pod(labels=None, annotations=None, **spec):
    return {"metadata": {"name": "p", "labels": labels or {}, "annotations": annotations or {}}, "spec": spec}


INJECT = "sidecar.istio.io/inject"


@pytest.mark.row("IJ-01", "IJ-03")
@pytest.mark.parametrize(
    ("namespace", "labels", "annotations", "expected"),
    [
        ({"istio-injection": "enabled"}, {}, {}, True),
        ({"istio-injection": "disabled"}, {}, {}, False),
        ({"istio-injection": "disabled"}, {INJECT: "true"}, {}, False),
        ({}, {}, {}, False),
        ({}, {INJECT: "true"}, {}, True),
        ({}, {}, {INJECT: "true"}, False),
        ({"istio-injection": "enabled"}, {INJECT: "false"}, {}, False),
        ({"istio-injection": "enabled"}, {}, {INJECT: "false"}, False),
        ({"istio-injection": "enabled"}, {INJECT: "true"}, {INJECT: "false"}, True),
        ({"istio-injection": "enabled"}, {INJECT: "maybe"}, {}, True),
        ({}, {"istio.io/rev": "default"}, {}, True),
    ],
)
def test_namespace_pod_label_and_annotation(namespace, labels, annotations, expected):
    assert decide(pod(labels, annotations), InjectNamespace("ns", namespace), InjectSettings()).inject is expected


@pytest.mark.row("IJ-02")
@pytest.mark.parametrize(
    ("namespace", "labels", "expected"),
    [
        ({"istio.io/rev": "canary"}, {}, True),
        ({"istio.io/rev": "prod"}, {}, True),
        ({"istio.io/rev": "other"}, {}, False),
        ({"istio.io/rev": "canary", "istio-injection": "enabled"}, {}, False),
        ({"istio.io/rev": "other"}, {"istio.io/rev": "canary"}, False),
        ({}, {"istio.io/rev": "canary"}, True),
        ({}, {"istio.io/rev": "canary", INJECT: "false"}, False),
        ({}, {INJECT: "true"}, False),
    ],
)
def test_revisions_and_tags(namespace, labels, expected):
    settings = InjectSettings(revision="canary", tags=("prod",))
    assert decide(pod(labels), InjectNamespace("ns", namespace), settings).inject is expected


@pytest.mark.row("IJ-07")
def test_host_network_and_system_namespaces_are_never_injected():
    assert not decide(pod(hostNetwork=True), ENABLED, InjectSettings()).inject
    for name in ("kube-system", "kube-public", "kube-node-lease", "local-path-storage"):
        assert not decide(pod({INJECT: "true"}), InjectNamespace(name, ENABLED.labels), InjectSettings()).inject


def test_an_odd_value_warns_and_leaves_it_to_the_policy():
    decision = handle(pod({INJECT: "yes"}), "shop", InjectSettings(policy="disabled"))
    assert not decision.inject
    assert "neither true nor false" in decision.warning


@pytest.mark.row("IJ-08", "IJ-09")
def test_selectors_come_after_the_label_and_before_the_policy():
    exists = ({"matchExpressions": [{"key": "x", "operator": "Exists"}]},)
    never = InjectSettings(never_inject=exists, always_inject=exists)
    assert not handle(pod({"x": ""}), "shop", never).inject
    assert handle(pod({"x": "", INJECT: "true"}), "shop", never).inject
    always = InjectSettings(always_inject=exists, policy="disabled")
    assert handle(pod({"x": ""}), "shop", always).inject
    assert not handle(pod({}), "shop", always).inject
