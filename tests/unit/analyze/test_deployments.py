from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.deployments import several_services
from tests.unit.analyze.estates import Json, fields, found, injected, messages, obj, service

HOME = injected("default")


def deployment(**more: Any) -> Json:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    return obj("Deployment", "a", {"template": template}, **more)


def named(name: str, *ports: Json, namespace: str = "default") -> Json:
    return service(name, *ports, namespace=namespace, selector={"app": "a"})


TCP, UDP = {"port": 53, "name": "t"}, {"port": 53, "name": "u", "protocol": "UDP"}


@pytest.mark.row("IM-11")
def test_two_protocols_of_one_port() -> None:
    assert fields(several_services, HOME, deployment(), named("s", TCP), named("t", UDP)) == [
        ("IST0116", "metadata.name")
    ]
    assert found(several_services, HOME, deployment(), named("s", TCP, UDP)) == [("IST0116", "Deployment default/a")]
    said = {**TCP, "protocol": "TCP"}
    assert found(several_services, HOME, deployment(), named("s", TCP), named("t", said)) == []
    assert found(several_services, HOME, deployment(), named("s", TCP), named("t", UDP, namespace="b")) == []
    text = messages(several_services, HOME, deployment(), named("t", TCP), named("s", UDP))[0]
    assert "port 53" in text
    assert "default/s, default/t" in text


@pytest.mark.row("IM-11")
def test_only_deployments_of_the_mesh() -> None:
    assert found(several_services, deployment(), named("s", TCP, UDP)) == []
    made = deployment(labels={"gateway.istio.io/managed": "istio.io-mesh-controller"})
    assert found(several_services, HOME, made, named("s", TCP, UDP)) == []
    no_selector = service("s", TCP, UDP)
    other = service("s", TCP, UDP, selector={"app": "b"})
    assert found(several_services, HOME, deployment(), other) == []
    assert found(several_services, HOME, deployment(), no_selector) == []


@pytest.mark.row("IM-23")
def test_two_ports_of_one_target() -> None:
    a, b = {"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": 8080}
    assert found(several_services, HOME, deployment(), named("s", a), named("t", b)) == [
        ("IST0137", "Deployment default/a")
    ]
    assert found(several_services, HOME, deployment(), named("s", a), named("t", a)) == []
    unset = {"port": 81, "targetPort": 0}
    same = {"port": 80, "targetPort": 81}
    assert found(several_services, HOME, deployment(), named("s", unset), named("t", same)) != []
    plain = {"port": 8080}
    assert "targetPort 8080 by different ports: 80, 8080" in messages(
        several_services, HOME, deployment(), named("s", a), named("t", plain)
    )[0]  # fmt: skip
