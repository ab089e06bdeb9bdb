"""Which Sidecar counts, and what it lets be seen."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build, view
from mizzen.resolve.sidecars import Egress, of_sidecar, sidecar_for
from tests.meshes import NETWORKING, new, router, service, sidecar


def of(name: str, namespace: str = "a", **spec: Any) -> Object:
    return new(NETWORKING, "Sidecar", namespace, name, spec)


@pytest.mark.row("SC-01")
def test_selecting_before_plain_before_the_root_namespaces_and_the_oldest_of_each() -> None:
    selector = {"workloadSelector": {"labels": {"app": "web"}}}
    root, plain, younger = of("root", "root"), of("plain"), of("younger")
    own, second = of("own", **selector), of("second", **selector)
    foreign = of("foreign", "b", **selector)
    everything = (root, plain, younger, own, second, foreign, of("root-own", "root", **selector))

    def chosen(*objects: Object, namespace: str = "a", **labels: str) -> str:
        found = sidecar_for(objects, namespace, labels, "root")
        return found.name if found else ""

    assert chosen(*everything, app="web") == "own"
    assert chosen(*everything, app="other") == "plain"
    assert chosen(*everything, namespace="c", app="web") == "root"
    assert chosen(own, namespace="a", app="other") == ""


@pytest.mark.row("SC-02")
@pytest.mark.parametrize(
    ("hosts", "seen"),
    [
        (["*/*"], "a/x b/x b/y"),
        (["./*"], "a/x"),
        (["b/*"], "b/x b/y"),
        (["*/x.example"], "a/x b/x"),
        (["~/*"], ""),
        (["*/*", "~b/x.example"], "a/x b/y"),
        (["*/*", "~/x.example"], "b/y"),
        ([], "a/x b/x b/y"),
    ],
)
def test_egress_hosts(hosts: list[str], seen: str) -> None:
    spec = {"egress": [{"hosts": hosts}]} if hosts else {}
    egress = Egress(of_sidecar(of("s", **spec).body), "a")
    places = [("a", "x"), ("b", "x"), ("b", "y")]
    assert " ".join(f"{n}/{h}" for n, h in places if egress.sees(n, f"{h}.example")) == seen


@pytest.mark.row("SC-01", "SC-02")
def test_gateways_ignore_sidecars() -> None:
    web = service("web", "b", 1, [{"name": "http", "port": 80}])
    snapshot = build(Config().with_objects([web, of("all", "istio-system", egress=[{"hosts": ["./*"]}])]))
    assert view(snapshot, sidecar(1, "a")).scope.services == ()
    assert [s.name for s in view(snapshot, router()).scope.services] == ["web"]


@pytest.mark.row("SC-07")
def test_the_sidecars_outbound_mode_beats_the_meshs_and_an_empty_one_blocks() -> None:
    def mode(**spec: Any) -> str:
        return view(build(Config().with_objects([of("s", **spec)])), sidecar(1, "a")).scope.outbound_mode

    assert mode() == "ALLOW_ANY"
    assert mode(outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}) == "REGISTRY_ONLY"
    assert mode(outboundTrafficPolicy={}) == "REGISTRY_ONLY"


@pytest.mark.row("SC-02", "VS-09")
def test_a_route_for_a_wildcard_concerns_the_listed_hosts_below_it() -> None:
    egress = Egress(["a/x.example", "~a/y.example"], "a")
    assert egress.concerns("a", "*.example")
    assert egress.concerns("a", "x.example")
    assert not egress.concerns("b", "*.example")
    assert not egress.concerns("a", "*.other")
    assert not egress.concerns("a", "y.example")
