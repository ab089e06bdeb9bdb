"""What the webhooks say to one review; tests/protocol/test_webhooks.py asks them over HTTPS."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from envoy.config.core.v3 import base_pb2
from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.api.kubernetes import Opaque
from mizzen.api.meta import Object, ObjectMeta
from mizzen.inject import InjectSettings
from mizzen.model.config import Config
from mizzen.server.node import Node
from mizzen.server.reviews import Review
from mizzen.server.webhooks import _work, injected, validated
from tests.unit.api.test_inline_yaml import LAUGHS
from tests.unit.inject.pods import container, env, pod, run
from tests.unit.inject.test_patch import JSON, apply
from tests.unit.server.test_reviews import body

REFUSED = "the object is not of the form that its kind has"


def namespace(name: str, **labels: str) -> Object:
    labels = {key.replace("_", "-"): value for key, value in labels.items()}
    return Object(kind="Namespace", meta=ObjectMeta(name=name, labels=labels), body=Opaque())


CONFIG = Config().with_objects([namespace("shop", istio_injection="enabled"), namespace("plain")])


def review(obj: Any, operation: str = "CREATE", namespace: str = "shop", kind: str = "Pod") -> Review:
    return Review(
        version="admission.k8s.io/v1", uid="u", operation=operation, namespace=namespace, object=obj, kind=kind
    )


def rule(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "cart", "namespace": "shop"}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": metadata,
        "spec": {"host": "cart", **spec},
    }


@pytest.mark.row("PO-15", "IJ-10")
def test_the_patch_is_what_injection_makes() -> None:
    document = pod()
    verdict = injected(review(document), CONFIG, "default")
    assert verdict.allowed
    assert apply(document, verdict.patch) == run(document, InjectSettings())


@pytest.mark.row("PO-15", "IJ-06")
def test_the_path_says_where_the_pod_is() -> None:
    document = pod()
    done = apply(document, injected(review(document), CONFIG, "default", "cluster/east/net/n1").patch)
    assert env(done)["ISTIO_META_CLUSTER_ID"] == "east"
    assert env(done)["ISTIO_META_NETWORK"] == done["metadata"]["labels"]["topology.istio.io/network"] == "n1"
    odd = injected(review(document), CONFIG, "default", "cluster")
    assert odd.patch
    assert "'cluster'" in odd.warnings[0]


@pytest.mark.row("IJ-10")
def test_pods_that_are_left_alone() -> None:
    for asked in (
        review(pod(labels={"sidecar.istio.io/inject": "false"})),
        review(pod(hostNetwork=True)),
        review(pod(), namespace="plain"),
        review(pod(), namespace="kube-system"),
        review(None, operation="DELETE"),
        review({"kind": "Service"}, kind="Service"),
    ):
        verdict = injected(asked, CONFIG, "default")
        assert (verdict.allowed, verdict.skipped, verdict.patch) == (True, True, []), asked.object


def test_a_namespace_that_is_not_known_yet_was_selected_by_the_one_who_asks() -> None:
    """Its labels may come a moment after its first pod: to leave that one without a proxy would be the worse mistake."""
    for revision in ("default", "canary"):
        assert injected(review(pod(), namespace="new"), CONFIG, revision).patch
    assert injected(
        review(pod(labels={"sidecar.istio.io/inject": "false"}), namespace="new"), CONFIG, "default"
    ).skipped


@pytest.mark.row("IJ-10")
@pytest.mark.parametrize(
    "annotations", [{"sidecar.istio.io/proxyCPU": "much"}, {"inject.istio.io/templates": "none-such"}]
)
def test_a_pod_that_cannot_be_injected_is_refused_with_the_reason(annotations: dict[str, str]) -> None:
    verdict = injected(review(pod(annotations)), CONFIG, "default")
    assert not verdict.allowed
    assert next(iter(annotations)) in verdict.reason
    assert not verdict.patch


def test_a_second_injection_is_no_skip() -> None:
    document = run(pod(), InjectSettings())
    verdict = injected(review(document), CONFIG, "default")
    assert (verdict.patch, verdict.skipped) == ([], False)
    assert container(document, "istio-proxy")


@pytest.mark.row("PO-15")
def test_every_problem_of_an_object_is_told_with_its_field() -> None:
    unreadable = rule(trafficPolicy={"nonsense": {}}, nonsense=1)
    invalid = rule(host="", trafficPolicy={"connectionPool": {"tcp": {"maxConnections": -1}}})
    for bad, fields in (
        (unreadable, ("spec.nonsense: ", "spec.trafficPolicy.nonsense: ")),
        (invalid, ("spec.host: ", "spec.trafficPolicy.connectionPool.tcp.maxConnections: ")),
    ):
        verdict = validated(review(bad), CONFIG)
        assert not verdict.allowed
        for field in fields:
            assert field in verdict.reason


@pytest.mark.row("PO-15")
def test_what_may_be_stored() -> None:
    assert validated(review(rule()), CONFIG).allowed
    assert validated(review(rule(host=""), operation="DELETE"), CONFIG).allowed
    assert validated(review({"apiVersion": "example.com/v1", "kind": "Thing"}), CONFIG).allowed
    assert not validated(review(rule(host="")), CONFIG).allowed
    assert not validated(review("text"), CONFIG).allowed
    spec = {"ports": [{"port": 80}], "sessionAffinity": "ClientIP"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart"}, "spec": spec}
    warned = validated(review(service), CONFIG)
    assert warned.allowed
    assert [text.partition(":")[0] for text in warned.warnings] == ["spec.sessionAffinity"]


@given(changed=JSON, where=st.sampled_from(["metadata", "spec", "labels", "annotations", "containers", "container"]))
@settings(max_examples=300, deadline=None)
def test_pods_of_any_form_are_taken_or_refused(changed: Any, where: str) -> None:
    document: Any = pod()
    holder, key = {
        "labels": (document["metadata"], "labels"),
        "annotations": (document["metadata"], "annotations"),
        "containers": (document["spec"], "containers"),
        "container": (document["spec"]["containers"], 0),
    }.get(where, (document, where))
    holder[key] = changed
    for judge in (lambda r, c: injected(r, c, "default"), validated):
        _, verdict = _work(body(object=document), CONFIG, judge)
        assert verdict.allowed or verdict.reason


def test_an_object_that_breaks_its_judge_is_refused_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _, verdict = _work(body(object={"metadata": ["top-secret"]}), CONFIG, lambda r, c: injected(r, c, "default"))
    assert (verdict.allowed, verdict.reason) == (False, REFUSED)
    assert "top-secret" not in caplog.text


@pytest.mark.row("IJ-10")
@pytest.mark.parametrize("text", ["[" * 1_000_000, "[" * 200_000, "- " * 100_000, LAUGHS])
def test_a_config_in_an_annotation_cannot_end_the_control_plane(text: str) -> None:
    verdict = injected(review(pod({"proxy.istio.io/config": text})), CONFIG, "default")
    assert not verdict.allowed
    assert "proxy.istio.io/config" in verdict.reason
    metadata = struct_pb2.Struct()
    metadata.update({"ANNOTATIONS": {"proxy.istio.io/config": text}})
    node = base_pb2.Node(id="sidecar~10.0.0.1~web-0.shop~shop.svc.cluster.local", metadata=metadata)
    assert Node.parse(node).proxy(CONFIG).config == {}
