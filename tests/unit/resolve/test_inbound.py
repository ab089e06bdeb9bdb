"""What a sidecar serves."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.protocol import Protocol
from mizzen.model.view import Inbound
from mizzen.resolve import build, view
from tests.meshes import new, pod, sidecar


def service(name: str, created: int, *ports: dict[str, Any], selects: str = "web") -> Object:
    meta = {"creationTimestamp": f"2026-01-01T00:00:0{created}Z"}
    return new("v1", "Service", "a", name, {"selector": {"app": selects}, "ports": list(ports)}, meta=meta)


def served(*objects: Object) -> Inbound:
    found = view(build(Config().with_objects([pod("web-0", "a", 1, {"app": "web"}), *objects])), sidecar(1, "a"))
    assert found.inbound is not None
    return found.inbound


@pytest.mark.row("IL-03")
def test_two_services_on_one_port_are_one_and_the_older_gives_the_protocol() -> None:
    young = service("a-young", 2, {"name": "tcp", "port": 81, "targetPort": 8080})
    old = service("z-old", 1, {"name": "http", "port": 80, "targetPort": 8080})
    (port,) = served(young, old).ports
    assert (port.port, port.protocol, port.service.name, port.service_port) == (8080, Protocol.HTTP, "z-old", 80)
    assert [s.name for s in port.services] == ["z-old", "a-young"]


@pytest.mark.row("PO-03", "PR-05")
def test_neither_the_sidecars_own_ports_nor_udp_nor_what_selects_other_pods() -> None:
    own = [{"name": f"http-{n}", "port": n} for n in (15001, 15006, 15021, 15090)]
    found = served(
        service("own", 1, *own),
        service("dns", 2, {"name": "dns", "port": 53, "protocol": "UDP"}),
        service("other", 3, {"name": "http", "port": 80}, selects="other"),
    )
    assert found.ports == ()


def test_a_named_target_is_looked_up_in_the_pod() -> None:
    body = {"containers": [{"name": "a", "image": "x", "ports": [{"name": "web", "containerPort": 8081}]}]}
    status = {"podIP": "10.1.0.1", "phase": "Running"}
    own = new("v1", "Pod", "a", "web-0", body, meta={"labels": {"app": "web"}}, status=status)
    named = service(
        "web", 1, {"name": "http", "port": 80, "targetPort": "web"}, {"name": "no", "port": 1, "targetPort": "gone"}
    )
    assert [(p.port, p.service_port) for p in served(own, named).ports] == [(8081, 80)]
