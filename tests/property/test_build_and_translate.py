"""Laws of the way from Config to ResourceSet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import symbol_database
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, ROUTE, ResourceSet
from mizzen.resolve import build, view
from mizzen.translate import Memo, resources
from tests.golden.runner import message_of
from tests.meshes import POOL, PROXIES, config, objects, sidecar

pytestmark = pytest.mark.property
_FEW = settings(max_examples=25, deadline=None)


@_FEW
@given(objects, st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(found: list[Any], chance: random.Random) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    for proxy in PROXIES:
        one = resources(view(build(config(found)), proxy))
        assert resources(view(build(config(shuffled)), proxy)) == one


@_FEW
@given(objects, objects)
def test_building_on_what_was_equals_building_anew(before: list[Any], after: list[Any]) -> None:
    memo = Memo()
    old = build(config(before))
    for proxy in PROXIES:
        resources(view(old, proxy), memo)
    wanted = config(after)
    new = build(wanted, old)
    assert new.findings == build(wanted).findings
    for proxy in PROXIES:
        warm = resources(view(new, proxy, view(old, proxy)), memo)
        cold = resources(view(build(wanted), proxy))
        assert warm == cold
        assert [list(warm.get(kind)) for kind in (CLUSTER, LISTENER)] == [
            list(cold.get(kind)) for kind in (CLUSTER, LISTENER)
        ]


@_FEW
@given(objects)
def test_every_reference_resolves(found: list[Any]) -> None:
    """Clusters may be missing only where a user's VirtualService or HTTPRoute names what does not exist."""
    snapshot = build(config(found))
    for proxy in PROXIES:
        made = resources(view(snapshot, proxy))
        clusters = made.get(CLUSTER)
        missing = _clusters(made) - set(clusters)
        assert not missing or any(finding.code in ("IST0101", "MZ0311") for finding in snapshot.findings), missing
        assert _rds(made) == set(made.get(ROUTE))
        eds = {name for name, r in clusters.items() if message_of(r).HasField("eds_cluster_config")}  # type: ignore[arg-type]
        assert eds == set(made.get(ENDPOINT))


def test_replicas_share_their_view_and_its_bytes_name_none_of_them() -> None:
    snapshot = build(config([o for o in POOL if o.name != "peers" and not o.name.startswith("peers")]))
    one, other = view(snapshot, sidecar(1)), view(snapshot, sidecar(7))
    assert one.scope is other.scope
    assert one.inbound is other.inbound
    made = resources(one)
    for kind in (LISTENER, CLUSTER, ROUTE):
        for resource in made.get(kind).values():
            assert b"10.1.0.1" not in resource.body
            assert b"pod-1" not in resource.body
            assert b"sidecar~" not in resource.body


def test_views_that_share_both_halves_share_the_resource_set() -> None:
    snapshot, memo = build(config(list(POOL))), Memo()
    assert resources(view(snapshot, sidecar(1)), memo) is resources(view(snapshot, sidecar(7)), memo)


def test_an_unchanged_cluster_is_not_made_again() -> None:
    memo = Memo()
    first = build(config(list(POOL)))
    before = resources(view(first, sidecar()), memo).get(CLUSTER)
    changed = first.config.with_objects(remove=[("VirtualService", ("a", "reviews"))])
    after = resources(view(build(changed, first), sidecar()), memo).get(CLUSTER)
    name = "outbound|80||web.a.svc.cluster.local"
    assert after[name] is before[name]


def _clusters(made: ResourceSet) -> set[str]:
    found: set[str] = set()
    for kind in (LISTENER, ROUTE):
        for resource in made.get(kind).values():
            for message in _walk(message_of(resource)):
                found |= _named(message)
    return found


def _named(message: Any) -> set[str]:
    match message.DESCRIPTOR.name:
        case "RouteAction" | "TcpProxy":
            return ({message.cluster} if message.cluster else set()) | {
                c.name for c in message.weighted_clusters.clusters
            }
        case "RequestMirrorPolicy":
            return {message.cluster}
    return set()


def _rds(made: ResourceSet) -> set[str]:
    return {
        message.route_config_name  # type: ignore[attr-defined]
        for resource in made.get(LISTENER).values()
        for message in _walk(message_of(resource))
        if message.DESCRIPTOR.name == "Rds"
    }


def _walk(message: Message) -> Iterator[Message]:
    yield message
    for entry, value in message.ListFields():
        if entry.message_type is None or entry.message_type.GetOptions().map_entry:
            continue
        for item in [value] if isinstance(value, Message) else value:
            if not isinstance(item, Packed):
                yield from _walk(item)
            elif item.type_url.endswith(("HttpConnectionManager", "TcpProxy")):
                kind = symbol_database.Default().GetSymbol(item.type_url.rpartition("/")[2])
                yield from _walk(kind.FromString(item.value))
