from __future__ import annotations

import json

import pytest
import yaml

from mizzen.cli.get import HIDDEN, hide, parse_selector, selects
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, pod, virtual_service


@pytest.mark.row("CM-02")
def test_istios_kinds_have_istios_columns(mesh: FakeMesh, mizzen: Mizzen) -> None:
    spec = {"gateways": ["bookinfo-gateway"], "hosts": ["*"]}
    mesh.put({**virtual_service("bookinfo"), "spec": spec})
    mesh.put(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": "d"},
            "spec": {"host": "reviews"},
        }
    )
    security = {"apiVersion": "security.istio.io/v1"}
    mesh.put(
        {**security, "kind": "PeerAuthentication", "metadata": {"name": "p"}, "spec": {"mtls": {"mode": "STRICT"}}}
    )
    assert [line.split() for line in mizzen("get", "vs").out.splitlines()] == [
        ["NAME", "GATEWAYS", "HOSTS", "AGE"],
        ["bookinfo", '["bookinfo-gateway"]', '["*"]', "<unknown>"],
    ]
    assert mizzen("get", "dr").out.splitlines()[0].split() == ["NAME", "HOST", "AGE"]
    assert mizzen("get", "pa").out.splitlines()[1].split()[:2] == ["p", "STRICT"]


def test_several_kinds_are_several_tables_with_types(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(virtual_service("v"))
    mesh.put(pod("p"))
    lines = mizzen("get", "vs,pods").out.splitlines()
    assert [line.split()[0] if line else "" for line in lines] == [
        "NAME",
        "virtualservice.networking.istio.io/v",
        "",
        "NAME",
        "pod/p",
    ]


def test_all_namespaces_and_labels(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(pod("a", {"app": "a"}))
    mesh.put(pod("b", {"app": "b"}, namespace="shop"))
    assert [line.split()[:2] for line in mizzen("get", "po", "-A", "--no-headers").out.splitlines()] == [
        ["default", "a"],
        ["shop", "b"],
    ]
    assert mizzen("get", "po", "-A", "-l", "app=b", "-o", "name").out == "pod/b\n"
    assert mizzen("get", "po", "-A", "-l", "app!=b", "-o", "name").out == "pod/a\n"


def test_one_object_is_itself_and_several_are_a_list(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(virtual_service("a"))
    assert json.loads(mizzen("get", "vs", "a", "-o", "json").out)["metadata"]["name"] == "a"
    listed = yaml.safe_load(mizzen("get", "vs", "-o", "yaml").out)
    assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == ("List", ["a"])


def test_what_is_not_there(mesh: FakeMesh, mizzen: Mizzen) -> None:
    assert mizzen("get", "vs") == (0, "", "No resources found in default namespace.\n")
    result = mizzen("get", "vs", "ghost")
    assert (result.code, result.out) == (1, "")
    assert 'virtualservices.networking.istio.io "ghost" not found' in result.err
    assert mizzen("get", "vs", "ghost", "--ignore-not-found").code == 0
    assert mizzen("get", "nonsense").code == 1


def test_a_secret_is_shown_only_when_asked_for(mesh: FakeMesh, mizzen: Mizzen) -> None:
    raw = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "type": "Opaque",
        "data": {"key": "c2VjcmV0"},
    }
    mesh.put(raw)
    assert "c2VjcmV0" not in mizzen("get", "secret", "s", "-o", "yaml").out
    assert "c2VjcmV0" in mizzen("get", "secret", "s", "-o", "yaml", "--show-secrets").out
    annotated = {
        **raw,
        "metadata": {"name": "s", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0"}},
    }
    assert hide(annotated, show=False)["data"] == {"key": HIDDEN}
    assert "c2VjcmV0" not in str(hide(annotated, show=False))


def test_selectors() -> None:
    parsed = parse_selector("app=a,tier!=web,x==y")
    assert parsed == [("app", "a", True), ("tier", "web", False), ("x", "y", True)]
    assert selects(parsed, {"metadata": {"labels": {"app": "a", "x": "y"}}})
    assert not selects(parsed, {"metadata": {"labels": {"app": "a", "x": "y", "tier": "web"}}})
