from __future__ import annotations

import pytest

from mizzen.api.meta import Object, ObjectMeta, OwnerReference
from mizzen.model.config import Config
from mizzen.resolve import build, view
from mizzen.resolve.virtual_services import gateway_name
from mizzen.resolve.workloads import workload_name
from tests.meshes import NETWORKING, new, pod, routes, rule, service, sidecar

PORTS = [{"name": "http", "port": 80}]


@pytest.mark.row("VS-08")
def test_a_mesh_host_claimed_twice_is_reported_on_the_younger_and_served_by_the_older() -> None:
    web = service("web", "a", 1, PORTS)
    one = routes("one", "a", hosts=["web"], http=[{"route": [{"destination": {"host": "web"}}]}])
    two = routes(
        "two",
        "b",
        hosts=["web.a.svc.cluster.local"],
        http=[{"route": [{"destination": {"host": "web.a.svc.cluster.local"}}]}],
    )
    [finding] = build(Config().with_objects([web, two, one])).findings
    assert (finding.code, finding.name, finding.field) == ("IST0109", "two", "spec.hosts[0]")


@pytest.mark.row("CM-08", "CM-09")
def test_short_names_are_of_the_object_s_namespace_and_exports_hide() -> None:
    secret = service("web", "b", 1, PORTS)
    found = build(
        Config().with_objects(
            [
                secret,
                routes("r", "b", hosts=["web"], http=[{"route": [{"destination": {"host": "web"}}]}], exportTo=["."]),
            ]
        )
    )
    assert found.virtual_services[0].body.hosts == ("web.b.svc.cluster.local",)
    assert not view(found, sidecar(1, "a")).scope.virtual_services
    assert view(found, sidecar(1, "b")).scope.virtual_services


@pytest.mark.row("VS-02")
@pytest.mark.parametrize(
    ("written", "name"),
    [("mesh", "mesh"), ("gw", "a/gw"), ("./gw", "a/gw"), ("b/gw", "b/gw"), ("gw.b.svc.cluster.local", "b/gw")],
)
def test_names_of_gateways(written: str, name: str) -> None:
    assert gateway_name(written, "a") == name


@pytest.mark.row("IP-08")
@pytest.mark.parametrize(
    ("kind", "owner", "labels", "name"),
    [
        ("ReplicaSet", "web-5d4", {"pod-template-hash": "5d4"}, "web"),
        ("ReplicaSet", "web-5d4", {}, "web-5d4"),
        ("Job", "night-28000000", {}, "night"),
        ("StatefulSet", "db", {}, "db"),
    ],
)
def test_the_name_of_a_workload_is_its_owner_s(kind: str, owner: str, labels: dict[str, str], name: str) -> None:
    owners = (OwnerReference(kind=kind, name=owner, controller=True),)
    assert workload_name(ObjectMeta(name="p-x", generate_name="p-", labels=labels, owner_references=owners)) == name
    assert workload_name(ObjectMeta(name="p-x", labels=labels, owner_references=owners)) == "p-x"


def test_a_change_of_one_kind_leaves_the_rest_of_the_snapshot_as_it_is() -> None:
    first = build(Config().with_objects([service("web", "a", 1, PORTS), pod("p", "a", 1, {"app": "web"})]))
    second = build(first.config.with_objects([rule("r", "a", host="web")]), first)
    assert second.services is first.services
    assert second.endpoints is first.endpoints
    assert second.destination_rules
    third = build(second.config.with_objects([pod("p", "a", 1, {"app": "web"})]), second)
    assert third.workloads is first.workloads


def test_a_change_of_one_virtual_service_leaves_the_others_as_they_are() -> None:
    one = routes("one", "a", hosts=["web"], http=[{"route": [{"destination": {"host": "web"}}]}])
    two = routes("two", "a", hosts=["other"], http=[{"route": [{"destination": {"host": "web"}}]}])
    first = build(Config().with_objects([service("web", "a", 1, PORTS), one, two]))
    changed = routes("two", "a", hosts=["other"], http=[{"directResponse": {"status": 418}}])
    second = build(first.config.with_objects([changed]), first)
    assert second.virtual_services[0] is first.virtual_services[0]
    assert second.virtual_services[1] is not first.virtual_services[1]


@pytest.mark.row("CM-11")
def test_equal_ages_are_broken_by_the_name() -> None:
    def made(name: str) -> Object:
        meta = {"creationTimestamp": "2020-01-01T00:00:00Z"}
        http = [{"route": [{"destination": {"host": "web"}}]}]
        return new(NETWORKING, "VirtualService", "a", name, {"hosts": ["web"], "http": http}, meta=meta)

    found = build(Config().with_objects([service("web", "a", 1, PORTS), made("z"), made("b")]))
    assert [o.name for o in found.virtual_services] == ["b", "z"]
