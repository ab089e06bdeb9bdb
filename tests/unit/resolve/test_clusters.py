"""Two clusters as one mesh: what of the other counts, and for whom."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from msgspec import structs

from mizzen.model.config import Config
from mizzen.model.remote import KINDS, Remote
from mizzen.model.snapshot import Snapshot
from mizzen.proto.name_table import NameTable
from mizzen.resolve import build, view
from mizzen.translate import resources
from mizzen.translate.catalog import Catalog
from mizzen.translate.name_table import name_table
from tests.golden import runner
from tests.scenes import endpoints

WEB = "web.shop.svc.cluster.local"
HEADLESS = "db.shop.svc.cluster.local"


def cluster(number: int, *, network: str = "", more: str = "") -> str:
    """A cluster with ``web`` and the StatefulSet-like ``db``; addresses tell the clusters apart."""
    return f"""
apiVersion: v1
kind: Namespace
metadata: {{name: istio-system, labels: {{topology.istio.io/network: "{network}"}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec: {{clusterIP: 10.{number}.0.1, selector: {{app: web}}, ports: [{{name: http, port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web-1, namespace: shop, labels: {{kubernetes.io/service-name: web}}}}
addressType: IPv4
ports: [{{name: http, port: 80}}]
endpoints: [{{addresses: [10.{number}.1.1]}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: web-0, namespace: shop, labels: {{app: web, security.istio.io/tlsMode: istio}}}}
spec: {{serviceAccountName: web-{number}, containers: [{{name: a, image: x}}]}}
status: {{podIP: 10.{number}.1.1, phase: Running}}
---
apiVersion: v1
kind: Service
metadata: {{name: db, namespace: shop}}
spec: {{clusterIP: None, selector: {{app: db}}, ports: [{{name: tcp, port: 90}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: db-1, namespace: shop, labels: {{kubernetes.io/service-name: db}}}}
addressType: IPv4
ports: [{{name: tcp, port: 90}}]
endpoints: [{{addresses: [10.{number}.1.2]}}, {{addresses: [10.{number}.1.3]}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: db-0, namespace: shop, labels: {{app: db}}}}
spec: {{hostname: db-0, subdomain: db, containers: [{{name: a, image: x}}]}}
status: {{podIP: 10.{number}.1.2, phase: Running}}
---
apiVersion: v1
kind: Pod
metadata: {{name: own-{number}, namespace: shop, labels: {{app: db}}}}
spec: {{hostname: own-{number}, subdomain: db, containers: [{{name: a, image: x}}]}}
status: {{podIP: 10.{number}.1.3, phase: Running}}
---{more}"""


ONLY_THERE = """
apiVersion: v1
kind: Service
metadata: {name: far, namespace: shop}
spec: {clusterIP: 10.2.0.9, selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: machine, namespace: shop}
spec: {address: 10.2.7.7, labels: {app: web}, serviceAccount: machine}
---
apiVersion: v1
kind: Service
metadata: {name: dns, namespace: kube-system}
spec: {clusterIP: 10.2.0.10, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: [web], http: [{route: [{destination: {host: nowhere}}]}]}
"""


def config(text: str, **mesh: Any) -> Config:
    documents = [document for document in yaml.safe_load_all(text) if document]
    return runner.config_of({"config": documents, "mesh": mesh})


def two(*, networks: tuple[str, str] = ("", ""), trust_domain: str = "", **mesh: Any) -> Config:
    other = config(cluster(2, network=networks[1], more=ONLY_THERE))
    remote = Remote({kind: other.of(kind) for kind in KINDS}, trust_domain)
    return replace(config(cluster(1, network=networks[0]), **mesh), cluster_id="c1", remotes={"c2": remote})


def members(snapshot: Snapshot, hostname: str, port: int) -> list[tuple[str, str]]:
    return [(e.cluster, e.address) for e in snapshot.endpoints.get(("shop", hostname, port), ())]


@pytest.mark.row("MCL-03")
def test_a_service_of_two_clusters_is_one_with_the_endpoints_of_both_and_its_own_address() -> None:
    snapshot = build(two())
    [web] = snapshot.by_hostname[WEB]
    assert web.addresses == ("10.1.0.1",)
    assert members(snapshot, WEB, 80) == [("c1", "10.1.1.1"), ("c2", "10.2.1.1"), ("c2", "10.2.7.7")]


@pytest.mark.row("MCL-03")
def test_a_service_of_the_other_cluster_alone_is_there_and_serves_nobody_here() -> None:
    snapshot = build(two())
    [far] = snapshot.by_hostname["far.shop.svc.cluster.local"]
    assert (far.addresses, far.selector) == (("10.2.0.9",), {})
    assert "10.1.0.9" not in snapshot.workloads


@pytest.mark.row("MCL-03")
def test_of_two_workloads_with_one_address_the_own_clusters_counts() -> None:
    both = two()
    same = both.remotes["c2"].of("Pod")[("shop", "web-0")]
    status = structs.replace(same.body.status, pod_ip="10.1.1.1")
    there = structs.replace(same, body=structs.replace(same.body, status=status))
    pods = {**both.remotes["c2"].of("Pod"), ("shop", "web-0"): there}
    other = replace(both.remotes["c2"], objects={**both.remotes["c2"].objects, "Pod": pods})
    found = build(replace(both, remotes={"c2": other})).workloads["10.1.1.1"]
    assert str(found.identity) == "spiffe://cluster.local/ns/shop/sa/web-1"


@pytest.mark.row("MCL-05")
def test_of_the_other_cluster_workload_entries_count_and_routes_do_not() -> None:
    snapshot = build(two())
    assert ("c2", "10.2.7.7") in members(snapshot, WEB, 80)
    assert snapshot.virtual_services == ()
    assert "VirtualService" not in KINDS


@pytest.mark.row("MCL-04", "MC-24")
def test_what_is_local_to_its_cluster_does_not_cross() -> None:
    snapshot = build(two())
    assert "dns.kube-system.svc.cluster.local" not in snapshot.by_hostname
    local = {"settings": {"clusterLocal": True}, "hosts": [WEB]}
    assert members(build(two(serviceSettings=[local])), WEB, 80) == [("c1", "10.1.1.1")]
    crossing = {"settings": {"clusterLocal": False}, "hosts": ["*.kube-system.svc.cluster.local"]}
    assert "dns.kube-system.svc.cluster.local" in build(two(serviceSettings=[crossing])).by_hostname


@pytest.mark.row("MCL-05")
def test_the_other_cluster_s_trust_domain_is_that_of_its_workloads() -> None:
    found = build(two(trust_domain="there")).endpoints[("shop", WEB, 80)]
    assert [str(e.identity) for e in found if e.identity] == [
        "spiffe://cluster.local/ns/shop/sa/web-1",
        "spiffe://there/ns/shop/sa/web-2",
        "spiffe://there/ns/shop/sa/machine",
    ]


@pytest.mark.row("MCL-03", "MN-01")
def test_each_cluster_has_the_network_of_its_own_system_namespace() -> None:
    snapshot = build(two(networks=("east", "west")))
    assert [e.network for e in snapshot.endpoints[("shop", WEB, 80)]] == ["east", "west", "west"]


@pytest.mark.row("MCL-03")
def test_a_cluster_that_goes_leaves_nothing_and_a_change_is_as_a_build_from_nothing() -> None:
    whole = two()
    before = build(whole)
    alone = replace(whole, remotes={})
    after = build(alone, before)
    assert members(after, WEB, 80) == [("c1", "10.1.1.1")]
    again = build(whole, after)
    assert (again.services, again.endpoints, again.workloads) == (before.services, before.endpoints, before.workloads)
    assert build(replace(whole, revision=9), before).endpoints is before.endpoints


def names(of: Config) -> NameTable:
    snapshot = build(of)
    proxy = runner.proxy_of(of, "shop/web-0")
    network = snapshot.endpoints[("shop", WEB, 80)][0].network
    found = view(snapshot, structs.replace(proxy, network=network))
    return name_table(Catalog(found.scope))


@pytest.mark.row("MCL-08")
def test_the_name_of_a_headless_service_leads_to_pods_of_every_cluster_and_the_own_pod_of_a_name_counts() -> None:
    table = names(two()).table
    assert list(table[HEADLESS].ips) == ["10.1.1.2", "10.1.1.3", "10.2.1.2", "10.2.1.3"]
    assert list(table[f"db-0.{HEADLESS}"].ips) == ["10.1.1.2"]
    assert list(table[f"own-2.{HEADLESS}"].ips) == ["10.2.1.3"]


@pytest.mark.row("MCL-08")
def test_pods_of_other_networks_are_never_named_and_a_switch_leaves_other_clusters_out() -> None:
    apart = names(two(networks=("east", "west"))).table
    assert list(apart[HEADLESS].ips) == ["10.1.1.2", "10.1.1.3"]
    assert f"own-2.{HEADLESS}" not in apart
    config = two()
    off = replace(config, features=replace(config.features, multicluster_headless=False))
    assert list(names(off).table[HEADLESS].ips) == ["10.1.1.2", "10.1.1.3"]


@pytest.mark.row("MCL-03", "OL-19")
def test_a_client_s_endpoints_say_which_cluster_they_are_in() -> None:
    config = two()
    made = resources(view(build(config), runner.proxy_of(config, "shop/web-0")))
    [group] = endpoints(made, f"outbound|80||{WEB}").endpoints
    told = [e.metadata.filter_metadata["istio"]["cluster"] for e in group.lb_endpoints]
    assert told == ["c1", "c2", "c2"]
