"""Law: whatever happens on the way, proxies of both dialects end with the state that the last snapshot says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.model.resources import CLUSTER, ENDPOINT, EXTENSION_CONFIG, LISTENER, ROUTE, ResourceSet
from mizzen.xds import DeltaSession, Session, SotwSession
from tests.protocol.conversation import Proxy, res

TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE, EXTENSION_CONFIG)

pytestmark = pytest.mark.property

NAMES = ("a", "b", "c")
contents = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.sampled_from("12x"), st.sampled_from("12x")), max_size=3
)


@st.composite
def worlds(draw: st.DrawFn) -> ResourceSet:
    """Every reference resolves: a cluster has its endpoints, a listener its route. ``x`` is content that is refused."""
    clusters, listeners = draw(contents), draw(contents)
    resources = []
    for name, (one, two) in clusters.items():
        resources += [res("cds", name, one), res("eds", name, two)]
    for name, (one, two) in listeners.items():
        resources += [res("lds", name, one), res("rds", name, two)]
    return ResourceSet.of(resources)


events = st.lists(st.one_of(worlds(), st.sampled_from(["step", "step", "reconnect", "hurry"])), max_size=25)
good_world = worlds().map(
    lambda w: ResourceSet.of(
        res(
            {CLUSTER: "cds", ENDPOINT: "eds", LISTENER: "lds", ROUTE: "rds"}[url],
            name,
            r.body.decode().split("=")[1].replace("x", "3"),
        )
        for url, of in w.types.items()
        for name, r in of.items()
    )
)


def play(kind: type[Session], script: list[object], end: ResourceSet) -> Proxy:
    proxy = Proxy(kind(), lambda r: "refused" if r.body.endswith(b"=x") else None)
    current, number = ResourceSet(), 1
    proxy.connect(kind(), current, number)
    for event in script:
        if isinstance(event, ResourceSet):
            current, number = event, number + 1
            proxy.offer(current, number)
        elif event == "step":
            proxy.step()
        elif event == "hurry":
            proxy.inbox.extend(proxy.session.hurry())
        else:
            proxy.connect(kind(), current, number)
    proxy.offer(end, number + 1)
    proxy.settle()
    if proxy.session.waiting:
        proxy.inbox.extend(proxy.session.hurry())
        proxy.settle()
    return proxy


def state(proxy: Proxy) -> dict[str, dict[str, bytes]]:
    return {url: {name: r.body for name, r in of.items()} for url, of in proxy.state.items()}


@pytest.mark.row("XD-01", "XD-07")
@settings(max_examples=150, deadline=None, derandomize=True)
@given(script=events, end=good_world)
def test_both_dialects_converge_across_refusals_and_reconnects(script: list[object], end: ResourceSet) -> None:
    expected = {url: {name: r.body for name, r in end.get(url).items()} for url in TYPES}
    for kind in (DeltaSession, SotwSession):
        proxy = play(kind, script, end)
        assert state(proxy) == expected
        assert not proxy.session.waiting
        assert proxy.held is None
        assert all(status.state in ("SYNCED", "NOT SENT") for status in proxy.session.status().values())


@st.composite
def answerable(draw: st.DrawFn) -> ResourceSet:
    """Worlds in which every cluster can become warm: no endpoints are refused."""
    drawn = draw(worlds())
    return ResourceSet.of(
        res("eds", name, "3") if url == ENDPOINT and r.body.endswith(b"=x") else r
        for url, of in drawn.types.items()
        for name, r in of.items()
    )


@pytest.mark.row("XD-02", "XD-07")
@pytest.mark.parametrize("kind", [DeltaSession, SotwSession])
@settings(max_examples=200, deadline=None, derandomize=True)
@given(script=st.lists(st.one_of(answerable(), st.sampled_from(["step", "step", "reconnect"])), max_size=20))
def test_nothing_waits_that_is_not_waited_for(kind: type[Session], script: list[object]) -> None:
    """A session never needs its patience when each cluster can become warm, whatever else is refused."""
    proxy = Proxy(kind(), lambda r: "refused" if r.body.endswith(b"=x") else None)
    current, number = ResourceSet(), 1
    proxy.connect(kind(), current, number)
    for event in script:
        if isinstance(event, ResourceSet):
            current, number = event, number + 1
            proxy.offer(current, number)
        elif event == "step":
            proxy.step()
        else:
            proxy.connect(kind(), current, number)
    proxy.settle()
    assert not proxy.session.waiting
    assert proxy.held is None
    assert proxy.session.progress(number).done
