"""Scripted conversations in the state-of-the-world dialect."""

from __future__ import annotations

import pytest

from mizzen.model.resources import CLUSTER, ENDPOINT, ROUTE, ResourceSet
from mizzen.xds import SotwSession
from tests.protocol.conversation import Proxy, res, sotw, told, world

BASE = (res("cds", "a"), res("eds", "a"), res("lds", "l"), res("rds", "l"))


def connected(resources: ResourceSet) -> Proxy:
    proxy = Proxy(SotwSession())
    proxy.connect(SotwSession(), resources, 1)
    proxy.settle()
    proxy.log.clear()
    return proxy


@pytest.mark.row("XD-02")
def test_clusters_are_repeated_until_routes_have_left_them() -> None:
    proxy = connected(world(*BASE))
    proxy.offer(world(res("cds", "b"), res("eds", "b"), res("lds", "l"), res("rds", "l", "to b")), 2)
    proxy.settle()
    kinds = [(kind, names) for kind, names, _ in proxy.log]
    assert kinds == [("cds", ["b", "a"]), ("eds", ["b"]), ("rds", ["l"]), ("cds", ["b"])]
    assert set(proxy.state[CLUSTER]) == {"b"}
    assert set(proxy.state[ENDPOINT]) == {"b"}


@pytest.mark.row("XD-01")
def test_a_new_subscription_is_answered_in_full_and_an_added_name_alone() -> None:
    session = SotwSession()
    session.offer(world(res("eds", "a"), res("eds", "b")), 1)
    (first,) = session.receive(sotw("eds", ["a"]))
    assert told([first]) == [("eds", ["a"], [])]
    (second,) = session.receive(sotw("eds", ["a", "b"], nonce=first.nonce))
    assert told([second]) == [("eds", ["b"], [])]
    assert session.receive(sotw("eds", ["a", "b"], nonce="old")) == []
    assert session.expired == {ENDPOINT: 1}


@pytest.mark.row("XD-01")
def test_no_names_is_an_unsubscription_where_there_is_no_wildcard() -> None:
    session = SotwSession()
    session.offer(world(res("eds", "a")), 1)
    (first,) = session.receive(sotw("eds", ["a"]))
    assert session.receive(sotw("eds", [], nonce=first.nonce)) == []
    assert session.offer(world(res("eds", "a", "2")), 2) == []


@pytest.mark.row("XD-07")
def test_a_refused_cluster_keeps_its_old_form_in_later_responses() -> None:
    proxy = connected(world(*BASE))
    proxy.judge = lambda r: "bad" if r.body == b"a=2" else None
    two = world(res("cds", "a", "2"), res("cds", "b"), *BASE[1:], res("eds", "b"))
    proxy.offer(two, 2)
    proxy.settle()
    assert proxy.session.progress(2).refused == {(CLUSTER, "a"): "bad"}
    assert {name: r.body for name, r in proxy.state[CLUSTER].items()} == {"a": b"a=1", "b": b"b=1"}


@pytest.mark.row("XD-07")
def test_a_refused_route_does_not_hold_back_the_others() -> None:
    listeners = [res("lds", f"r{i}") for i in range(3)]
    proxy = connected(world(*listeners, *(res("rds", f"r{i}") for i in range(3))))
    proxy.judge = lambda r: "no" if r.body == b"r0=bad" else None
    proxy.offer(world(*listeners, res("rds", "r0", "bad"), res("rds", "r1", "2"), res("rds", "r2", "2")), 2)
    proxy.settle()
    assert sorted(r.body for r in proxy.state[ROUTE].values()) == [b"r0=1", b"r1=2", b"r2=2"]
    assert proxy.session.progress(2).refused == {(ROUTE, "r0"): "no"}


def test_an_unknown_route_is_answered_empty() -> None:
    session = SotwSession()
    session.offer(world(), 1)
    assert told(session.receive(sotw("rds", ["nobody"]))) == [("rds", ["nobody"], [])]


def test_an_empty_mesh_is_answered() -> None:
    session = SotwSession()
    session.offer(world(), 1)
    assert told(session.receive(sotw("lds"))) == [("lds", [], [])]
