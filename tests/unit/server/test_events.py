"""What counts as an event between two Configs."""

import pytest
from msgspec.structs import replace as with_fields

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.config import Config
from mizzen.server.events import events
from tests.meshes import endpoint_slice, new, pod, routes, service

WEB = service("web", "shop", 1, [{"name": "http", "port": 80}])
ROUTES = routes("web", "shop", hosts=["web"], http=[{"route": [{"destination": {"host": "web"}}]}])
FIRST = Config().with_objects([WEB, ROUTES, pod("web-0", "shop", 1, {"app": "web"})])


@pytest.mark.row("CPM-01", "CPM-05")
def test_the_first_adds_everything() -> None:
    found = events(None, FIRST)
    assert found.config == {("VirtualService", "add"): 1}
    assert found.registry == {("Services", "add"): 1, ("Pods", "add"): 1}
    assert found.triggers == {"service": 1, "endpoint": 1, "config": 1}
    assert found.inbound == {"svc": 1, "config": 1}


@pytest.mark.row("CPM-01", "CPM-05")
def test_only_what_is_another_object_counts() -> None:
    assert events(FIRST, FIRST.with_objects([WEB])).registry == {}
    newer = with_fields(WEB, meta=with_fields(WEB.meta, labels={"a": "b"}))
    slices = endpoint_slice("web", "shop", [{"name": "http", "port": 80}], ["10.1.0.1"])
    changed = events(FIRST, FIRST.with_objects([newer, slices], [("VirtualService", ("shop", "web"))]))
    assert changed.registry == {("Services", "update"): 1, ("EndpointSlice", "add"): 1}
    assert changed.config == {("VirtualService", "delete"): 1}
    assert changed.inbound == {"svc": 1, "eds": 1, "config": 1}
    gone = events(FIRST, FIRST.with_objects(remove=[("Service", ("shop", "web"))]))
    assert (gone.registry, gone.inbound) == ({("Services", "delete"): 1}, {"svcdelete": 1})


@pytest.mark.row("CPM-01", "CPM-05")
def test_each_kind_has_istios_name_and_its_own_trigger() -> None:
    others = [
        new("v1", "Node", "", "n", {}),
        new("v1", "Namespace", "", "shop", {}),
        new("v1", "Secret", "shop", "s", {}, stringData={"a": "b"}),
        new("gateway.networking.k8s.io/v1", "HTTPRoute", "shop", "r", {"rules": [{}]}),
        endpoint_slice("web", "shop", [{"name": "http", "port": 80}], ["10.1.0.1"]),
    ]
    nothing = Config()
    found = events(nothing, nothing.with_objects(others))
    assert found.registry == {("Nodes", "add"): 1, ("Namespaces", "add"): 1, ("EndpointSlice", "add"): 1}
    assert found.config == {("HTTPRoute", "add"): 1}
    assert found.triggers == {"namespace": 1, "secret": 1, "config": 1, "endpoint": 1}
    assert found.inbound == {"eds": 1, "config": 1}


@pytest.mark.row("CPM-01")
def test_another_mesh_config_is_for_everybody() -> None:
    assert events(Config(), Config(mesh=MeshConfig(access_log_file="/x"))).triggers == {"global": 1}
