from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.view import Inbound, MtlsMode
from mizzen.resolve import build, view
from mizzen.resolve.mtls import Modes
from tests.meshes import SECURITY, new, pod, service, sidecar


def policy(name: str, namespace: str, mode: str, created: str = "", **spec: Any) -> Object:
    meta = {"creationTimestamp": created} if created else {}
    return new(SECURITY, "PeerAuthentication", namespace, name, {"mtls": {"mode": mode}, **spec}, meta=meta)


def served(*objects: Object) -> Inbound:
    found = view(build(Config().with_objects(objects)), sidecar(1, "a", app="web")).inbound
    assert found is not None
    return found


@pytest.mark.row("PA-04", "PA-07")
def test_workload_beats_namespace_beats_mesh() -> None:
    mesh, namespace = policy("mesh", "istio-system", "STRICT"), policy("ns", "a", "UNSET")
    own = policy("own", "a", "DISABLE", selector={"matchLabels": {"app": "web"}})
    assert served().mtls is MtlsMode.PERMISSIVE
    assert served(mesh, namespace).mtls is MtlsMode.STRICT
    assert served(mesh, namespace, own).mtls is MtlsMode.DISABLE


@pytest.mark.row("PA-04")
def test_a_policy_that_says_nothing_inherits_at_every_level() -> None:
    strict = policy("mesh", "istio-system", "STRICT")
    silent = new(SECURITY, "PeerAuthentication", "a", "ns", {})
    own = new(SECURITY, "PeerAuthentication", "a", "own", {"selector": {"matchLabels": {"app": "web"}}})
    assert served(strict, silent, own).mtls is MtlsMode.STRICT
    assert served(silent, own).mtls is MtlsMode.PERMISSIVE
    assert served(policy("mesh", "istio-system", "UNSET")).mtls is MtlsMode.PERMISSIVE


@pytest.mark.row("PA-05")
def test_a_selector_in_the_root_namespace_reaches_nobody() -> None:
    assert (
        served(policy("mesh", "istio-system", "STRICT", selector={"matchLabels": {"app": "web"}})).mtls
        is MtlsMode.PERMISSIVE
    )
    root = policy("root", "istio-system", "STRICT", selector={"matchLabels": {"app": "web"}})
    there = view(build(Config().with_objects([root])), sidecar(1, "istio-system", app="web")).inbound
    assert there is not None
    assert there.mtls is MtlsMode.PERMISSIVE, "not even pods of the root namespace itself"


@pytest.mark.row("PA-07")
def test_of_two_in_a_namespace_the_oldest_counts() -> None:
    old, young = policy("z", "a", "STRICT", "2026-01-01T00:00:00Z"), policy("a", "a", "DISABLE", "2026-01-02T00:00:00Z")
    assert served(young, old).mtls is MtlsMode.STRICT


@pytest.mark.row("PA-07")
def test_ports_of_two_workload_policies_are_never_merged() -> None:
    def own(name: str, created: str, port: str) -> Object:
        ports = {port: {"mode": "DISABLE"}}
        return policy(name, "a", "STRICT", created, selector={"matchLabels": {"app": "web"}}, portLevelMtls=ports)

    found = served(own("young", "2026-01-02T00:00:00Z", "2"), own("old", "2026-01-01T00:00:00Z", "1"))
    assert found.unlisted == ((1, MtlsMode.DISABLE),)


@pytest.mark.row("PA-06", "PA-08")
def test_port_levels_are_container_ports_and_unlisted_ones_are_kept() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    own = policy(
        "own",
        "a",
        "STRICT",
        selector={"matchLabels": {"app": "web"}},
        portLevelMtls={"8080": {"mode": "DISABLE"}, "80": {"mode": "PERMISSIVE"}},
    )
    inbound = served(service("web", "a", 1, ports), pod("web-0", "a", 1, {"app": "web"}), own)
    assert [(p.port, p.mtls) for p in inbound.ports] == [(8080, MtlsMode.DISABLE)]
    assert inbound.unlisted == ((80, MtlsMode.PERMISSIVE),)


@pytest.mark.row("AP-07")
def test_policies_of_the_root_namespace_and_of_the_own_one_are_in_force_where_they_select() -> None:
    def deny(name: str, namespace: str, **spec: Any) -> Object:
        return new(SECURITY, "AuthorizationPolicy", namespace, name, {"action": "DENY", "rules": [{}], **spec})

    everywhere = deny("root", "istio-system", selector={"matchLabels": {"app": "web"}})
    found = served(
        everywhere, deny("own", "a"), deny("other", "b"), deny("else", "a", selector={"matchLabels": {"app": "x"}})
    )
    assert [obj.name for obj in found.policies.deny] == ["root", "own"]


@pytest.mark.row("XD-20")
def test_a_server_that_has_to_choose_does_what_its_clients_believe() -> None:
    modes = Modes(MtlsMode.PERMISSIVE, {1: MtlsMode.PERMISSIVE, 2: MtlsMode.DISABLE})
    assert modes.settled(mtls=True) == Modes(MtlsMode.STRICT, {1: MtlsMode.STRICT, 2: MtlsMode.DISABLE})
    assert modes.settled(mtls=False) == Modes(MtlsMode.DISABLE, {1: MtlsMode.DISABLE, 2: MtlsMode.DISABLE})
    assert Modes(MtlsMode.STRICT, {}).settled(mtls=False).workload is MtlsMode.STRICT


@pytest.mark.row("PA-05", "PA-07")
def test_a_policy_without_effect_is_told() -> None:
    old, young = policy("z", "a", "STRICT", "2026-01-01T00:00:00Z"), policy("a", "a", "DISABLE", "2026-01-02T00:00:00Z")
    web = {"matchLabels": {"app": "web"}}
    first, second = (policy(f"web-{n}", "a", "STRICT", f"2026-01-0{n}T00:00:00Z", selector=web) for n in (1, 2))
    other = policy("db", "a", "STRICT", "2026-01-03T00:00:00Z", selector={"matchLabels": {"app": "db"}})
    root = policy("root", "istio-system", "STRICT", selector=web)
    elsewhere = policy("b", "b", "STRICT")
    found = build(Config().with_objects([young, old, first, second, other, root, elsewhere])).findings
    told = {finding.name: finding.message for finding in found if finding.kind == "PeerAuthentication"}
    assert told.keys() == {"a", "web-2", "root"}
    assert "z is older" in told["a"]
    assert "web-1 is older" in told["web-2"]
    assert "root namespace" in told["root"]


@pytest.mark.row("PA-07")
def test_ports_are_those_of_the_one_policy_that_counts() -> None:
    web = {"matchLabels": {"app": "web"}}
    old = policy(
        "old", "a", "STRICT", "2026-01-01T00:00:00Z", selector=web, portLevelMtls={"8080": {"mode": "DISABLE"}}
    )
    young = policy(
        "new", "a", "STRICT", "2026-01-02T00:00:00Z", selector=web, portLevelMtls={"9090": {"mode": "DISABLE"}}
    )
    assert served(old, young).unlisted == ((8080, MtlsMode.DISABLE),)
