from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.webhooks import injection_webhooks, unfilled_images
from tests.unit.analyze.estates import Json, found, injected, messages, obj, service

KIND = "MutatingWebhookConfiguration"
ENABLED = {"matchLabels": {"istio-injection": "enabled"}}


def hooks(name: str, *entries: Json, **more: Any) -> Json:
    return obj(KIND, name, webhooks=list(entries), **more)


def hook(name: str = "sidecar-injector.istio.io", client: Json | None = None, **selectors: Json) -> Json:
    return {"name": name, "clientConfig": client or {"url": "https://x"}, **selectors}


@pytest.mark.row("IM-25")
def test_a_webhook_whose_service_is_gone() -> None:
    client = {"service": {"name": "istiod", "namespace": "istio-system"}}
    one = hooks("a", hook(client=client))
    assert found(injection_webhooks, one) == [("IST0139", f"{KIND} a")]
    assert messages(injection_webhooks, one)[0].endswith(
        "webhook sidecar-injector.istio.io leads to the Service istio-system/istiod, which does not exist"
    )
    assert found(injection_webhooks, one, service("istiod", namespace="istio-system")) == []
    assert found(injection_webhooks, hooks("a", hook("other.example", client=client))) == []


@pytest.mark.row("IM-25")
def test_two_webhooks_for_the_same_pods() -> None:
    one, two = hooks("a", hook(namespaceSelector=ENABLED)), hooks("b", hook(namespaceSelector=ENABLED))
    assert found(injection_webhooks, one, two) == [("IST0139", f"{KIND} a"), ("IST0139", f"{KIND} b")]
    assert messages(injection_webhooks, one, two)[0].endswith("takes the same pods as b/sidecar-injector.istio.io")
    off = {"matchLabels": {"istio-injection": "disabled"}}
    assert found(injection_webhooks, one, hooks("b", hook(namespaceSelector=off))) == []


@pytest.mark.row("IM-25")
@pytest.mark.parametrize(("part", "label", "value"), [
    ("namespaceSelector", "istio-injection", "disabled"), ("objectSelector", "sidecar.istio.io/inject", "true"),
    ("objectSelector", "sidecar.istio.io/inject", "false"), ("objectSelector", "istio.io/rev", "a"),
])  # fmt: skip
def test_every_labelling_that_injection_knows_is_tried(part: str, label: str, value: str) -> None:
    rivals = [hooks(name, hook(**{part: {"matchLabels": {label: value}}})) for name in "ab"]
    assert len(found(injection_webhooks, *rivals)) == 2
    strangers = [hooks(name, hook("x.example", **{part: {"matchLabels": {label: value}}})) for name in "ab"]
    assert len(found(injection_webhooks, *strangers)) == (2 if label == "istio.io/rev" else 0)


@pytest.mark.row("IM-25")
def test_webhooks_of_two_revisions() -> None:
    def of(revision: str) -> Json:
        return hooks(revision, hook(namespaceSelector={"matchLabels": {"istio.io/rev": revision}}))

    def told(*names: str) -> list[tuple[str, str]]:
        return [("IST0139", f"{KIND} {name}") for name in names]

    assert found(injection_webhooks, of("a"), of("b")) == []
    labelled = hooks("d", hook("x.example", namespaceSelector=ENABLED), labels={"istio.io/rev": "d"})
    assert found(injection_webhooks, labelled, hooks("e", hook(namespaceSelector=ENABLED))) == told("d", "e")
    empty = {"matchExpressions": [{"key": "istio.io/rev", "operator": "In", "values": ["a"]}]}
    assert found(injection_webhooks, of("a"), hooks("c", hook("x.example", namespaceSelector=empty))) == told("a", "c")
    broken = {"matchExpressions": [{"key": "istio.io/rev", "operator": "Likes"}]}
    assert found(injection_webhooks, of("a"), hooks("c", hook("x.example", namespaceSelector=broken))) == []
    greedy = {"matchExpressions": [{"key": "istio.io/rev", "operator": "Exists"}]}
    assert found(injection_webhooks, of("a"), hooks("c", hook("x.example", namespaceSelector=greedy))) == told("a", "c")


@pytest.mark.row("IM-25")
def test_the_installations_own_webhooks_do_not_overlap() -> None:
    assert found(injection_webhooks) == []


def template(image: str = "auto", **labels: str) -> Json:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "istio-proxy", "image": image}]}}


@pytest.mark.row("IM-31", "IT-05")
def test_an_image_that_nobody_filled_in() -> None:
    assert found(unfilled_images, obj("Pod", "p", template()["spec"])) == [("IST0147", "Pod default/p")]
    assert found(unfilled_images, obj("Pod", "p", template("proxyv2")["spec"])) == []


@pytest.mark.row("IM-31")
def test_an_image_that_nobody_will_fill_in() -> None:
    gateway = obj("Deployment", "g", {"template": template()})
    assert found(unfilled_images, gateway) == [("IST0146", "Deployment default/g")]
    assert found(unfilled_images, gateway, injected("default")) == []
    asked = obj("Deployment", "g", {"template": template(**{"sidecar.istio.io/inject": "true"})})
    assert found(unfilled_images, asked) == []
    assert found(unfilled_images, obj("Deployment", "g", {"template": template("proxyv2")})) == []
    app = obj("Deployment", "g", {"template": {"spec": {"containers": [{"name": "app", "image": "auto"}]}}})
    assert found(unfilled_images, app) == []
    own = hooks("mine", hook(objectSelector={"matchLabels": {"mine": "yes"}}))
    assert found(unfilled_images, asked, own) == [("IST0146", "Deployment default/g")]
    assert found(unfilled_images, gateway, hooks("mine", hook())) == []
    assert found(unfilled_images, gateway, hooks("mine", hook("x.example"))) == [("IST0146", "Deployment default/g")]
