"""What the hub publishes, counts, and keeps when something fails."""

from __future__ import annotations

import asyncio

import pytest
from envoy.config.core.v3 import base_pb2

from mizzen.api.decode import decode_mesh
from mizzen.controlplane import compiler
from mizzen.model.config import Config
from mizzen.model.extension import Fetched
from mizzen.model.proxy import ProxyType
from mizzen.model.remote import Remote, Sync
from mizzen.model.resources import EXTENSION_CONFIG, LISTENER, ResourceSet
from mizzen.model.service import Locality
from mizzen.model.snapshot import Snapshot
from mizzen.observe import Metrics
from mizzen.resolve import build, plugins, view
from mizzen.server.hub import Compiler, Connection, Hub
from mizzen.server.node import Node
from mizzen.server.reports import STRANGERS
from mizzen.translate import resources
from mizzen.xds import DeltaSession, Session
from tests.meshes import new, pod, routes, rule, service
from tests.protocol.conversation import delta
from tests.scenes import Scene
from tests.unit.translate import test_listener_conflicts as listener_conflicts
from tests.unit.translate.test_gateway_conflicts import OLD, YOUNG

PORTS = [{"name": "http", "port": 80}]
WEB = service("web", "a", 1, PORTS)
FULL = "web.a.svc.cluster.local"


def _hub() -> tuple[Hub, Metrics]:
    metrics = Metrics()
    return Hub(Compiler(build, view, resources), metrics), metrics


@pytest.mark.row("VS-08", "DR-03", "CPM-04")
async def test_hosts_and_subsets_that_are_dropped_are_counted() -> None:
    hub, metrics = _hub()
    http = [{"route": [{"destination": {"host": FULL}}]}]
    both = [routes("one", "a", hosts=["web"], http=http), routes("two", "b", hosts=[FULL], http=http)]
    rules = [rule(name, "a", host="web", subsets=[{"name": "v1"}]) for name in ("x", "y", "z")]
    hub.publish(Config().with_objects([WEB, *both, *rules]))
    assert b"pilot_vservice_dup_domain 1.0" in metrics.text()
    assert b"pilot_destrule_subsets 2.0" in metrics.text()
    hub.publish(Config().with_objects([WEB, both[0], rules[0]]))
    assert b"pilot_vservice_dup_domain 0.0" in metrics.text()
    assert b"pilot_destrule_subsets 0.0" in metrics.text()


@pytest.mark.row("CPM-01", "CPM-05", "TR-10")
async def test_changes_are_counted_once_though_nobody_is_to_see_them() -> None:
    """The objects of a namespace that discoverySelectors leave out are in no snapshot, and still no news a second time."""
    hub, metrics = _hub()
    mesh, _ = decode_mesh(
        {
            "discoverySelectors": [{"matchLabels": {"seen": "yes"}}],
            "extensionProviders": [{"name": "z", "zipkin": {"service": "gone.example", "port": 1}}],
        }
    )
    config = Config(mesh=mesh).with_objects([WEB, rule("x", "a", host="web")])
    hub.publish(config)
    hub.publish(config)
    text = metrics.text().decode()
    assert 'pilot_k8s_cfg_events{event="add",type="DestinationRule"} 1.0' in text
    assert 'pilot_k8s_reg_events{event="add",type="Services"} 1.0' in text
    assert 'pilot_inbound_updates{type="svc"} 1.0' in text
    assert 'provider_lookup_cluster_failures{type="zipkin"} 1.0' in text


async def test_each_snapshot_has_a_number_and_wakes_those_who_wait() -> None:
    hub, _ = _hub()
    waiting = hub.changed.wait()
    hub.publish(Config(revision=7))
    assert await asyncio.wait_for(waiting, 5)
    hub.publish(Config(revision=9))
    assert hub.current is not None
    assert (hub.current.number, hub.current.revision) == (2, 9)
    assert [hub.number_of(revision) for revision in (7, 8, 9, 10)] == [1, 2, 2, None]


async def test_a_configuration_that_cannot_be_resolved_changes_nothing() -> None:
    metrics = Metrics()

    def compile_(config: Config, _previous: Snapshot | None) -> Snapshot:
        if config.revision == 2:
            raise RuntimeError("broken")
        return Snapshot(config=config)

    hub = Hub(Compiler(compile_, view, resources), metrics)
    hub.publish(Config(revision=1))
    hub.publish(Config(revision=2))
    assert hub.current is not None
    assert hub.current.revision == 1
    assert "broken" in hub.error
    assert b"pilot_total_xds_internal_errors 1.0" in metrics.text()
    hub.publish(Config(revision=3))
    assert hub.error == ""


NODE = "router~10.1.0.20~edge-0.istio-system~istio-system.svc.cluster.local"


def connection(**metadata: str) -> Connection:
    node = base_pb2.Node(id=NODE)
    node.metadata.update(metadata)
    return Connection(Node.parse(node), Session(), None, 0.0)


def rejected(metrics: Metrics) -> list[str]:
    return [line for line in metrics.text().decode().splitlines() if line.startswith("pilot_total_rejected_configs{")]


@pytest.mark.row("GW-25", "CPM-04")
def test_what_is_left_out_is_counted_by_its_owner_until_it_is_mended() -> None:
    metrics = Metrics()
    hub = Hub(compiler(), metrics)
    hub.publish(Scene(OLD + YOUNG).config)
    edge = connection()
    assert hub.current is not None
    assert hub.resources(edge, hub.current) is not None
    assert rejected(metrics) == ['pilot_total_rejected_configs{name="bank/young",type="gateway"} 1.0']
    assert {finding.name for finding in hub.findings()} == {"young"}
    hub.publish(Scene(OLD).config)
    assert hub.resources(edge, hub.current) is not None
    assert rejected(metrics) == []


def test_proxies_of_equal_views_share_what_was_built_and_a_failure_keeps_the_last() -> None:
    core = compiler()
    hub = Hub(core, Metrics())
    assert hub.config is None
    assert hub.findings() == set()
    hub.publish(Scene(OLD).config)
    first = hub.current
    assert first is not None
    assert hub.resources(connection(), first) is hub.resources(connection(), first)

    def broken(*_: object) -> Config:
        raise ValueError("no")

    hub._compiler = Compiler(broken, core.view, core.resources)  # type: ignore[arg-type]
    hub.publish(Scene().config)
    assert hub.current is first
    assert "ValueError: no" in hub.error
    made = hub.resources(connection(), first)
    assert made is not None
    assert "0.0.0.0_8080" in made.get(LISTENER)


@pytest.mark.row("XD-20")
def test_a_proxy_that_is_away_is_remembered_and_a_program_of_grpc_is_not() -> None:
    hub = Hub(compiler(), Metrics())
    hub.publish(Scene(OLD).config)
    for held, remembered in ((connection(GENERATOR="grpc"), False), (connection(), True)):
        hub.attach(held)
        hub.detach(held)
        assert bool(hub.absent) is remembered


def test_nothing_that_a_proxy_says_of_itself_outlives_it() -> None:
    """Each stream may call itself what it likes; what is kept of a pod's is one, and of what is gone nothing."""
    hub, metrics = _hub()
    here = pod("web-0", "a", 1, {"app": "web"})
    hub.publish(Config().with_objects([here]))
    for number in range(5):
        for net, generator in ((1, ""), (2, "grpc")):
            node = base_pb2.Node(id=f"sidecar~10.{net}.0.{number}~web-0.a~a.svc.cluster.local")
            node.metadata.update({"ISTIO_VERSION": f"{number}" * 1000, "GENERATOR": generator})
            held = Connection(Node.parse(node), DeltaSession(), None, 0.0)
            hub.attach(held)
            metrics.refused("cds", node.id, "Internal")
            assert f'pilot_xds{{version="{f"{number}" * 64}"}} 1.0' in metrics.text().decode()
            hub.detach(held)
    assert len(hub.absent) == 1
    assert metrics.text().count(b"pilot_xds_cds_reject{") == 1
    assert b"pilot_xds{" not in metrics.text()
    hub.publish(Config())
    assert b"pilot_xds_cds_reject{" not in metrics.text()


def test_a_pod_that_comes_back_under_another_address_is_not_waited_for_under_the_old_one() -> None:
    hub, _ = _hub()
    hub.publish(Config().with_objects([pod("web-0", "a", 1, {"app": "web"})]))

    def stream(address: str) -> Connection:
        node = Node.parse(base_pb2.Node(id=f"sidecar~{address}~web-0.a~a.svc.cluster.local"))
        return Connection(node, DeltaSession(), None, 0.0)

    hub.attach(old := stream("10.1.0.1"))
    hub.detach(old)
    hub.attach(new := stream("10.1.0.2"))
    assert not hub.absent
    assert not hub.left(new)


def test_a_stream_that_ends_after_its_pod_came_back_leaves_nobody_missing() -> None:
    """Of a pod that was killed the control plane may hear long after another one of its name is there."""
    hub, _ = _hub()
    hub.publish(Config().with_objects([pod("web-0", "a", 1, {"app": "web"})]))
    ids = [f"sidecar~10.1.0.{number}~web-0.a~a.svc.cluster.local" for number in (1, 2)]
    old, new = (Connection(Node.parse(base_pb2.Node(id=name)), DeltaSession(), None, 0.0) for name in ids)
    hub.attach(old)
    assert not hub.left(old)
    hub.attach(new)
    assert hub.left(old)
    assert not hub.left(new)
    hub.detach(old)
    assert not hub.absent
    assert not hub.left(new)
    hub.detach(new)
    assert list(hub.absent.values()) == [new]


@pytest.mark.row("PR-11", "IL-03", "CPM-04")
def test_services_that_share_a_place_are_counted_once() -> None:
    metrics = Metrics()
    hub = Hub(compiler(), metrics)
    text = listener_conflicts.entry("young", 2022) + listener_conflicts.entry("old", 2021)
    scene = Scene(text + listener_conflicts.ALSO.replace("PROTOCOL", "tcp"))
    hub.publish(scene.config)
    assert hub.current is not None
    for name in ("web-0", "reviews-v1-0"):
        node = base_pb2.Node(id=f"sidecar~10.1.0.1~{name}.shop~shop.svc.cluster.local")
        assert hub.resources(Connection(Node.parse(node), Session(), None, 0.0), hub.current) is not None
    assert b"pilot_conflict_inbound_listener 1.0" in metrics.text()
    assert b"pilot_conflict_outbound_listener_tcp_over_current_tcp 1.0" in metrics.text()
    hub.publish(Scene().config)
    assert b"pilot_conflict_outbound_listener_tcp_over_current_tcp 0.0" in metrics.text()
    assert b"pilot_conflict_inbound_listener 0.0" in metrics.text()


@pytest.mark.row("AG-12", "WP-02")
async def test_a_report_of_modules_changes_what_its_proxy_gets_and_wakes_its_stream() -> None:
    hub = Hub(Compiler(build, view, resources, plugins=plugins), Metrics())
    wasm = new("extensions.istio.io/v1alpha1", "WasmPlugin", "a", "p", {"url": "oci://r.example/x:v1"})
    node = Node("sidecar~10.0.0.1~p.a~a", ProxyType.SIDECAR, "10.0.0.1", "p", "a", Locality(), {"MIZZEN_BOOT": "1"})
    assert hub.modules(node) == ()
    hub.publish(Config().with_objects([WEB, wasm]))
    connection = Connection(node, DeltaSession(), None, 0.0)
    hub.attach(connection)
    assert hub.current is not None

    def config() -> list[bytes]:
        assert hub.current is not None
        found = hub.resources(connection, hub.current)
        assert found is not None
        return [resource.body for resource in found.get(EXTENSION_CONFIG).values()]

    (module,) = hub.modules(node)
    assert b"rbac" in config()[0]
    assert hub.fetching(connection)
    hub.report(node, {})
    assert config() == [], "it is on its way: the proxy keeps what it has"
    assert hub.fetching(connection)
    connection.reported.clear()
    hub.report(node, {module.key: Fetched("a" * 64)})
    assert connection.reported.is_set()
    assert b"/var/lib/istio/data/" + b"a" * 64 + b".wasm" in config()[0]
    assert not hub.fetching(connection)


def test_reports_for_proxies_that_are_made_up_are_forgotten() -> None:
    hub, _ = _hub()
    hub.publish(Config())

    def node(name: str) -> Node:
        return Node(f"sidecar~10.0.0.1~{name}.a~a", ProxyType.SIDECAR, "", name, "a", Locality(), {"MIZZEN_BOOT": "1"})

    hub.attach(Connection(node("p"), DeltaSession(), None, 0.0))
    hub.report(node("p"), {"m": Fetched("a" * 64)})
    for number in range(3 * STRANGERS):
        hub.report(node(f"p-{number}"), {})
        assert len(hub.reports) <= STRANGERS + 1
    assert hub.reports.of(node("p")) == {"m": Fetched("a" * 64)}


@pytest.mark.row("MCL-01")
async def test_clusters_and_those_that_are_late_are_counted() -> None:
    hub, metrics = _hub()
    hub.publish(Config(remotes={"b": Remote(status=Sync.TIMEOUT), "c": Remote(status=Sync.SYNCED)}))
    hub.publish(Config(remotes={"b": Remote(status=Sync.TIMEOUT), "c": Remote(status=Sync.SYNCED)}))
    text = metrics.text()
    assert b'istiod_managed_clusters{cluster_type="local"} 1.0' in text
    assert b'istiod_managed_clusters{cluster_type="remote"} 2.0' in text
    assert b"remote_cluster_sync_timeouts_total 1.0" in text


def test_who_comes_back_owes_what_it_had_asked_for() -> None:
    hub, _ = _hub()
    hub.publish(Config(revision=1).with_objects([pod("web-0", "a", 1, {"app": "web"})]))
    node = Node.parse(base_pb2.Node(id="sidecar~10.1.0.1~web-0.a~a.svc.cluster.local"))

    def attached(*types: str) -> Connection:
        connection = Connection(node, DeltaSession(), None, 0.0)
        connection.session.offer(ResourceSet(), 1)
        hub.attach(connection)
        for short in types:
            connection.session.receive(delta(short))
        return connection

    assert not hub.returning(attached("cds", "lds")), "a first stream owes nothing"
    hub.detach(hub.connections[node.id])
    again = attached("cds")
    assert hub.returning(again)
    again.session.receive(delta("lds"))
    assert not hub.returning(again)
    assert hub.returning(attached()), "also where the old stream was not seen to end"
