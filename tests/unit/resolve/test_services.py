from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build
from tests.meshes import NETWORKING, new

HOST = "web.a.svc.cluster.local"


def at(second: int) -> dict[str, str]:
    return {"creationTimestamp": f"2026-01-01T00:00:0{second}Z"}


def entry(name: str, second: int, *sans: str, host: str = HOST, **more: Any) -> Object:
    spec = {"hosts": [host], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}], "resolution": "STATIC"}
    return new(NETWORKING, "ServiceEntry", "a", name, {**spec, "subjectAltNames": list(sans), **more}, meta=at(second))


def web(second: int) -> Object:
    spec = {"clusterIP": "10.96.0.1", "ports": [{"name": "http", "port": 80}]}
    return new("v1", "Service", "a", "web", spec, meta=at(second))


def names(*objects: Object, **mesh: Any) -> list[str]:
    (service,) = build(Config(mesh=MeshConfig(**mesh)).with_objects(objects)).services
    return list(service.subject_alt_names)


@pytest.mark.row("SE-13")
def test_of_a_kubernetes_service_and_entries_of_its_host_the_youngest_names_the_servers() -> None:
    assert names(web(1), entry("one", 2, "one.example"), entry("two", 3, "two.example")) == ["two.example"]
    assert names(entry("one", 2, "one.example"), web(3)) == []
    assert names(entry("one", 2, "one.example"), web(3), entry("two", 4, "two.example")) == ["two.example"]


@pytest.mark.row("SE-13", "SE-16")
def test_entries_alone_are_united_with_all_their_names() -> None:
    assert names(entry("one", 1, "one.example"), entry("two", 2, "two.example")) == ["one.example", "two.example"]


@pytest.mark.row("SE-13")
def test_names_of_the_mesh_count_in_every_domain_that_it_goes_by() -> None:
    own, foreign = "spiffe://td/ns/a/sa/web", "spiffe://else/ns/a/sa/web"
    found = names(entry("one", 1, own, foreign, "one.example"), trust_domain="td", trust_domain_aliases=("old",))
    assert found == [own, "spiffe://old/ns/a/sa/web", foreign, "one.example"]
