from pathlib import Path
from typing import Any

import pytest

from tests.conformance.material import Material
from tests.conformance.steps import change, probe_action, rotation


class World:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    def place(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "metadata": {"namespace": "shop", **document["metadata"]}}

    def pods_of(self, workload: str) -> list[str]:
        return [f"{workload}-1", f"{workload}-2"]

    def deployments_of(self, workload: str) -> list[tuple[str, str]]:
        return [] if workload == "nobody" else [("shop", workload)]

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.done.append((name, *arguments))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def material(tmp_path: Path) -> Material:
    return Material(tmp_path, lambda _name: "10.0.0.1", lambda: "http://documents")


def test_apply_and_delete_wait_for_the_acknowledgement(world: World, material: Material) -> None:
    rule = {"kind": "VirtualService", "metadata": {"name": "web"}}
    assert change(world, material, {"apply": rule, "delete": [{"kind": "Gateway", "name": "g"}]}) == []  # type: ignore[arg-type]
    assert world.done == [
        ("apply", [{**rule, "metadata": {"namespace": "shop", "name": "web"}}]),
        ("delete", [("Gateway", "shop", "g")]),
        ("settle",),
    ]


def test_scale_waits_for_readiness_only_when_nothing_is_called(world: World, material: Material) -> None:
    change(world, material, {"scale": {"web-v2": 2}})  # type: ignore[arg-type]
    assert world.done == [("patch", "Deployment", "shop", "web-v2", {"spec": {"replicas": 2}}), ("ready",)]
    with pytest.raises(LookupError, match="no Deployment nobody"):
        change(world, material, {"scale": {"nobody": 2}})  # type: ignore[arg-type]


def test_a_label_goes_to_the_pods_that_run(world: World, material: Material) -> None:
    change(world, material, {"label": {"cart.shop": {"tier": "gold"}}})  # type: ignore[arg-type]
    assert world.done == [
        ("label", "cart.shop-1", {"tier": "gold"}),
        ("label", "cart.shop-2", {"tier": "gold"}),
        ("settle",),
    ]


def test_a_label_that_injection_reads_makes_new_pods(world: World, material: Material) -> None:
    change(world, material, {"label": {"legacy": {"sidecar.istio.io/inject": "true"}}})  # type: ignore[arg-type]
    assert [done[0] for done in world.done] == ["patch", "ready", "settle"]


def test_a_key_set_is_exchanged_for_the_case_alone(world: World, material: Material, tmp_path: Path) -> None:
    material.begin(alone=True)
    uri = material.fill("${jwks_uri:k1}")
    before = (tmp_path / uri.rpartition("/")[2]).read_text()
    change(world, material, {"rotate_jwks": "k1 to k2"})  # type: ignore[arg-type]
    after = (tmp_path / uri.rpartition("/")[2]).read_text()
    assert '"kid": "k1"' in before
    assert '"kid": "k2"' in after
    assert material.fill("${jwks_uri:k1}") == uri
    assert (tmp_path / uri.rpartition("/")[2]).read_text() == after
    material.begin(alone=False)
    assert material.fill("${jwks_uri:k1}") != uri


@pytest.mark.parametrize("value", ["k1 to k2", ["k1", "k2"], {"k1": "k2"}, {"name": "k1", "to": "k2"}])
def test_the_ways_to_say_which_key_follows(value: Any) -> None:
    assert rotation(value) == ("k1", "k2")


@pytest.mark.parametrize(
    ("asked", "action"),
    [
        ({"http": 8000}, {"httpGet": {"port": 8000, "path": "/"}}),
        ({"http": "8020/ready"}, {"httpGet": {"port": 8020, "path": "/ready"}}),
        ({"http": "/ready"}, {"httpGet": {"port": 8000, "path": "/ready"}}),
        ({"http": {"path": "/x"}}, {"httpGet": {"port": 8000, "path": "/x"}}),
        ({"tcp": True}, {"tcpSocket": {"port": 9000}}),
        ({"grpc": "8002"}, {"grpc": {"port": 8002}}),
    ],
)
def test_a_probe_as_kubernetes_has_it(asked: dict[str, Any], action: dict[str, Any]) -> None:
    assert probe_action({**asked, "of": "cart.shop"}) == action


@pytest.mark.parametrize("asked", [{"of": "cart"}, {"http": 80}, {"http": "a b", "of": "cart"}])
def test_a_probe_that_cannot_be_read(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="probe"):
        probe_action(asked)
