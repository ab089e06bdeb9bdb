"""What patches leave alone, and what becomes of those that cannot be."""

from __future__ import annotations

import pytest

from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, NAME_TABLE, ROUTE, SECRET
from tests.scenes import Scene
from tests.unit.translate.patches.patching import HCM, LUA, document, patch, patched, statuses

ROUTER = "envoy.filters.http.router"
MANAGER = {"filterChain": {"filter": {"name": HCM}}}
BEFORE = {"filterChain": {"filter": {"name": HCM, "subFilter": {"name": ROUTER}}}}


@pytest.mark.row("EF-23")
def test_only_what_a_patch_changes_is_another_resource() -> None:
    plain = Scene().resources()
    made = Scene(document(patch("LISTENER", "MERGE", {"tcp_backlog_size": 7}, listener={"portNumber": 80}))).resources()
    for kind in (CLUSTER, ENDPOINT, ROUTE, SECRET, NAME_TABLE):
        assert {n: r.version for n, r in made.get(kind).items()} == {n: r.version for n, r in plain.get(kind).items()}
    changed = [n for n, r in made.get(LISTENER).items() if r.version != plain.get(LISTENER)[n].version]
    assert changed == ["0.0.0.0_80"]


@pytest.mark.row("EF-23")
def test_a_filter_concerns_its_namespaces_proxies_and_the_root_namespaces_all() -> None:
    change = patch("LISTENER", "MERGE", {"tcp_backlog_size": 7})
    assert patched(change).patches
    assert not Scene(document(change, namespace="bank")).resources().patches
    assert Scene(document(change, namespace="istio-system")).resources().patches


@pytest.mark.row("EF-16")
@pytest.mark.parametrize("operation", ["ADD", "INSERT_AFTER"])
def test_a_filter_behind_the_router_is_refused_and_the_others_are_applied(operation: str) -> None:
    made = patched(
        patch("HTTP_FILTER", operation, {**LUA, "name": "too.far"}, listener=BEFORE),
        patch("HTTP_FILTER", "INSERT_BEFORE", {**LUA, "name": "early"}, listener=BEFORE),
    )
    assert statuses(made) == ["refused", "applied"]
    assert "behind the router" in made.patches[0].reason
    assert all(b"too.far" not in resource.body for resource in made.get(LISTENER).values())


@pytest.mark.row("EF-08")
def test_a_bootstrap_patch_changes_nothing() -> None:
    made = patched(patch("BOOTSTRAP", "MERGE", {"stats_flush_interval": "1s"}))
    assert made == Scene().resources()
    assert statuses(made) == ["matched nothing"]


@pytest.mark.row("EF-22")
def test_a_gateway_has_every_cluster_whatever_the_annotation_names() -> None:
    noted = document(patch("LISTENER", "MERGE", {"tcp_backlog_size": 7}), namespace="istio-system").replace(
        "  name: f\n", "  name: f\n  annotations: {envoyfilter.istio.io/referenced-services: nobody.example}\n"
    )
    assert "referenced-services" in noted
    plain, made = Scene().edge(), Scene(noted).edge()
    assert list(made.get(CLUSTER)) == list(plain.get(CLUSTER))
    assert "outbound|80||reviews.shop.svc.cluster.local" in made.get(CLUSTER)
