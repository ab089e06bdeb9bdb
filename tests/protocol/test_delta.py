"""Scripted conversations in the incremental dialect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mizzen.model.resources import CLUSTER, LISTENER, ROUTE, ResourceSet
from mizzen.xds import DeltaSession
from tests.protocol.conversation import NAMES, Proxy, delta, res, told, world

BASE = (res("cds", "a"), res("eds", "a"), res("lds", "l"), res("rds", "l"))


def connected(resources: ResourceSet) -> Proxy:
    proxy = Proxy(DeltaSession())
    proxy.connect(DeltaSession(), resources, 1)
    proxy.settle()
    proxy.log.clear()
    return proxy


@pytest.mark.row("XD-02", "XD-12")
def test_first_connection_brings_clusters_before_listeners() -> None:
    proxy = Proxy(DeltaSession())
    proxy.connect(DeltaSession(), world(*BASE), 1)
    proxy.settle()
    assert proxy.log == [("cds", ["a"], []), ("eds", ["a"], []), ("lds", ["l"], []), ("rds", ["l"], [])]
    assert all(status.state == "SYNCED" for status in proxy.session.status().values())


@pytest.mark.row("XD-01")
def test_reconnect_with_equal_versions_gets_nothing() -> None:
    proxy = connected(world(*BASE))
    proxy.connect(DeltaSession(), world(*BASE), 1)
    assert not proxy.inbox
    assert not proxy.session.progress(1).concerned


@pytest.mark.row("XD-01")
def test_reconnect_gets_only_what_changed_and_what_is_gone() -> None:
    proxy = connected(world(*BASE, res("cds", "old"), res("eds", "old")))
    proxy.connect(DeltaSession(), world(res("cds", "a", "2"), *BASE[1:]), 7)
    proxy.settle()
    assert proxy.log == [("cds", ["a"], []), ("eds", ["a"], []), ("cds", [], ["old"])]


@pytest.mark.row("XD-02")
def test_a_changed_cluster_gets_its_equal_endpoints_again_with_it() -> None:
    proxy = connected(world(*BASE))
    responses = proxy.session.offer(world(res("cds", "a", "2"), *BASE[1:]), 2)
    assert told(responses) == [("cds", ["a"], []), ("eds", ["a"], [])]


@pytest.mark.row("XD-02")
def test_a_route_waits_for_its_cluster_and_the_old_cluster_for_the_route() -> None:
    proxy = connected(world(*BASE))
    new = world(res("cds", "b"), res("eds", "b"), res("lds", "l"), res("rds", "l", "to b"))
    proxy.offer(new, 2)
    proxy.settle()
    assert proxy.log == [("cds", ["b"], []), ("eds", ["b"], []), ("rds", ["l"], []), ("cds", [], ["a"])]
    assert set(proxy.state[CLUSTER]) == {"b"}


def test_a_cluster_that_never_warms_does_not_hold_routes_for_ever() -> None:
    proxy = connected(world(*BASE))
    session = proxy.session
    assert told(session.offer(world(res("cds", "b"), *BASE[:3], res("rds", "l", "2")), 2)) == [("cds", ["b"], [])]
    assert session.waiting
    assert told(session.hurry()) == [("rds", ["l"], [])]
    assert session.progress(2).pending


def test_a_cluster_that_never_warms_does_not_hold_newer_clusters_for_ever() -> None:
    session = connected(world(*BASE)).session
    cold = world(BASE[0], res("cds", "b"), *BASE[1:])
    assert told(session.offer(cold, 2)) == [("cds", ["b"], [])]
    assert not session.waiting, "nothing waits behind it"
    better = world(BASE[0], res("cds", "b", "2"), *BASE[1:])
    assert told(session.offer(better, 3)) == []
    assert session.waiting
    assert told(session.hurry()) == [("cds", ["b"], [])]


@pytest.mark.row("XD-07")
def test_a_refused_cluster_is_named_and_not_sent_until_the_next_push() -> None:
    proxy = connected(world(*BASE))
    proxy.judge = lambda r: "it is bad" if r.name == "bad" else None
    two = world(*BASE, res("cds", "bad"), res("cds", "good"), res("eds", "good"))
    proxy.offer(two, 2)
    proxy.settle()
    progress = proxy.session.progress(2)
    assert progress.done
    assert progress.refused == {(CLUSTER, "bad"): "it is bad"}
    assert set(proxy.state[CLUSTER]) == {"a", "good"}
    status = proxy.session.status()[CLUSTER]
    assert (status.state, status.errors) == ("ERROR", {"bad": "it is bad"})
    proxy.log.clear()
    proxy.offer(two, 3)
    assert not proxy.inbox
    assert not proxy.session.progress(3).concerned
    proxy.judge = lambda _: None
    proxy.offer(world(*BASE, res("cds", "bad"), res("cds", "good"), res("eds", "good")), 4)
    proxy.settle()
    assert set(proxy.state[CLUSTER]) == {"a", "good", "bad"}
    assert proxy.session.status()[CLUSTER].state == "SYNCED"


@pytest.mark.row("XD-07")
def test_a_refusal_without_a_name_is_narrowed_down_by_sending_one_by_one() -> None:
    routes = [res("rds", f"r{i}") for i in range(5)]
    listeners = [res("lds", f"r{i}") for i in range(5)]
    proxy = connected(world(*listeners, *routes))
    proxy.judge = lambda r: "no such thing" if r.body == b"r2=bad" else None
    proxy.offer(world(*listeners, *(res("rds", f"r{i}", "bad" if i == 2 else "new") for i in range(5))), 2)
    proxy.settle()
    assert {name: r.body for name, r in proxy.state[ROUTE].items()} == {
        **{f"r{i}": f"r{i}=new".encode() for i in (0, 1, 3, 4)},
        "r2": b"r2=1",
    }
    progress = proxy.session.progress(2)
    assert progress.done
    assert progress.refused == {(ROUTE, "r2"): "no such thing"}


@pytest.mark.row("XD-01")
def test_an_unknown_route_is_answered_empty_and_other_missing_names_as_removed() -> None:
    session = DeltaSession()
    session.offer(world(*BASE), 1)
    (answer,) = session.receive(delta("rds", add=["nobody"]))
    assert answer.resources[0].name == "nobody"
    assert answer.resources[0].body == b"\n\x06nobody"
    assert told(session.receive(delta("eds", add=["a", "gone"]))) == [("eds", ["a"], ["gone"])]


@pytest.mark.row("XD-01")
def test_an_old_nonce_answers_nothing_and_is_counted() -> None:
    session = DeltaSession()
    session.offer(world(*BASE), 1)
    (first,) = session.receive(delta("eds", add=["a"]))
    assert session.receive(delta("eds", nonce="strange", error="x")) == []
    assert session.expired == {first.type_url: 1}
    assert session.status()[first.type_url].state == "STALE"
    session.receive(delta("eds", nonce=first.nonce))
    assert session.status()[first.type_url].state == "SYNCED"


def test_asking_again_for_a_name_sends_it_again() -> None:
    session = DeltaSession()
    session.offer(world(*BASE), 1)
    (first,) = session.receive(delta("eds", add=["a"]))
    assert session.receive(delta("eds", nonce=first.nonce)) == []
    assert told(session.receive(delta("eds", add=["a"]))) == [("eds", ["a"], [])]


def test_a_name_dropped_in_flight_and_asked_for_again_is_sent_again() -> None:
    session = DeltaSession()
    session.offer(world(*BASE), 1)
    (first,) = session.receive(delta("eds", add=["a"]))
    session.receive(delta("eds", drop=["a"]))
    assert session.receive(delta("eds", add=["a"])) == []
    assert told(session.receive(delta("eds", nonce=first.nonce))) == [("eds", ["a"], [])]


def test_a_slow_proxy_skips_to_the_newest() -> None:
    proxy = connected(world(*BASE))
    for number in range(2, 20):
        proxy.offer(world(BASE[0], res("eds", "a", str(number)), *BASE[2:]), number)
    proxy.settle()
    assert [entry[0] for entry in proxy.log] == ["eds", "eds"]
    assert proxy.state[res("eds", "a").type_url]["a"].body == b"a=19"


def test_listeners_go_and_come_in_one_response() -> None:
    proxy = connected(world(*BASE))
    proxy.offer(world(*BASE[:2], res("lds", "m"), res("rds", "m")), 2)
    proxy.settle()
    assert ("lds", ["m"], ["l"]) in proxy.log
    assert set(proxy.state[LISTENER]) == {"m"}
    assert set(proxy.state[ROUTE]) == {"m"}


def test_progress_is_unknown_until_the_snapshot_was_seen() -> None:
    proxy = connected(world(*BASE))
    assert not proxy.session.progress(2).known
    proxy.offer(world(BASE[0], res("eds", "a", "2"), *BASE[2:]), 2)
    assert proxy.session.progress(2).pending
    proxy.settle()
    assert proxy.session.progress(2).done
    assert proxy.session.progress(2).concerned


def test_an_empty_mesh_is_answered() -> None:
    session = DeltaSession()
    session.offer(world(), 1)
    assert told(session.receive(delta("cds"))) == [("cds", [], [])]


def _stopgap(content: str) -> ResourceSet:
    return world(*BASE, replace(res("ecds", "w", content), stopgap=True))


@pytest.mark.row("WP-07")
def test_a_stopgap_goes_only_to_a_proxy_that_has_nothing_under_its_name() -> None:
    proxy = connected(_stopgap("deny"))
    assert told(proxy.session.receive(delta("ecds", add=["w"]))) == [("ecds", ["w"], [])]
    known = DeltaSession()
    known.offer(_stopgap("deny"), 1)
    assert known.receive(delta("ecds", add=["w"], have={"w": "from before"})) == []
    assert told(known.offer(world(*BASE, res("ecds", "w", "module")), 2)) == [("ecds", ["w"], [])]


@pytest.mark.row("WP-02")
def test_what_more_is_known_about_one_snapshot_belongs_to_its_change() -> None:
    proxy = connected(world(*BASE))
    proxy.session.receive(delta("ecds", add=["w"]))
    proxy.session.offer(world(*BASE, res("ecds", "w", "module")), 1)
    assert ("ecds", "w") in {(NAMES[url], name) for url, name in proxy.session.progress(1).pending}
