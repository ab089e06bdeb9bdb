"""The names that a proxy's agent answers, for each kind of service."""

import json
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToJson

from mizzen.model.resources import NAME_TABLE, ResourceSet
from mizzen.proto.name_table import NameTable
from mizzen.resolve import view
from mizzen.translate import resources
from tests.scenes import Scene

DATABASE = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec:
  clusterIP: None
  selector: {app: db}
  publishNotReadyAddresses: %s
  ports: [{name: tcp, port: 5432}]
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db}}
spec: {hostname: db-0, subdomain: db, containers: [{name: app, image: x}]}
status: {podIP: 10.1.0.40, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db-1, namespace: shop, labels: {app: db}}
spec: {hostname: db-1, subdomain: db, containers: [{name: app, image: x}]}
status: {podIP: 10.1.0.41, phase: Running, conditions: [{type: Ready, status: "False"}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-x, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: tcp, port: 5432, protocol: TCP}]
endpoints:
- {addresses: [10.1.0.40], hostname: db-0, conditions: {ready: true}}
- {addresses: [10.1.0.41], hostname: db-1, conditions: {ready: false}}
"""
ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: %(name)s, namespace: shop}
spec:
  hosts: [%(host)s]
  addresses: %(addresses)s
  ports: [{number: 5432, name: tcp, protocol: TCP}]
  resolution: %(resolution)s
"""


def entry(host: str, addresses: str = "[]", resolution: str = "STATIC") -> str:
    name = host.replace("*", "wild").replace(".", "-")
    return ENTRY % {"name": name, "host": json.dumps(host), "addresses": addresses, "resolution": resolution}


def made(text: str = "", flags: dict[str, str] | None = None, where: str = "shop/web-0") -> ResourceSet:
    scene = Scene(text)
    proxy = msgspec.structs.replace(scene.proxy(where), flags={"DNS_CAPTURE": "true"} if flags is None else flags)
    return resources(view(scene.snapshot, proxy))


def table(text: str = "", where: str = "shop/web-0") -> dict[str, Any]:
    (resource,) = made(text, where=where).get(NAME_TABLE).values()
    found: dict[str, Any] = json.loads(MessageToJson(NameTable.FromString(resource.body)))
    return found["table"]


@pytest.mark.row("DN-02")
def test_a_service_by_its_address_with_what_its_short_names_are_made_of() -> None:
    assert table()["ratings.shop.svc.cluster.local"] == {
        "ips": ["10.96.0.3"],
        "registry": "Kubernetes",
        "shortname": "ratings",
        "namespace": "shop",
    }


@pytest.mark.row("DN-02", "OL-10")
def test_a_headless_service_by_its_ready_pods_each_also_by_its_own_name() -> None:
    found = table(DATABASE % "false")
    assert found["db.shop.svc.cluster.local"]["ips"] == ["10.1.0.40"]
    assert found["db-0.db.shop.svc.cluster.local"] == {
        "ips": ["10.1.0.40"],
        "registry": "Kubernetes",
        "shortname": "db-0.db",
        "namespace": "shop",
    }
    assert "db-1.db.shop.svc.cluster.local" not in found


@pytest.mark.row("DN-02", "OL-10", "OL-13")
def test_pods_that_are_not_ready_are_named_where_the_service_publishes_them() -> None:
    found = table(DATABASE % "true")
    assert found["db.shop.svc.cluster.local"]["ips"] == ["10.1.0.40", "10.1.0.41"]
    assert found["db-1.db.shop.svc.cluster.local"]["ips"] == ["10.1.0.41"]


@pytest.mark.row("DN-02", "DN-04")
def test_addresses_of_service_entries_written_or_allocated() -> None:
    found = table(
        "---".join(
            (
                entry("fixed.test", "[1.2.3.4, 10.0.0.0/8, '2001:db8::5']"),
                entry("six.test", "['2001:db8::6']"),
                entry("given.test"),
                entry("*.wild.test", "[1.2.3.5]"),
                entry("*.bare.test", resolution="NONE"),
                entry("range.test", "[10.0.0.0/8]"),
            )
        )
    )
    assert found["fixed.test"] == {"ips": ["1.2.3.4", "2001:db8::5"], "registry": "External"}
    assert found["six.test"]["ips"] == ["2001:db8::6"]
    (given,) = found["given.test"]["ips"]
    assert given.startswith("240.240.")
    assert found["*.wild.test"]["ips"] == ["1.2.3.5"]
    assert {"*.bare.test", "range.test"}.isdisjoint(found)


@pytest.mark.row("DN-02", "OL-11")
def test_an_external_name_is_left_to_the_name_server_of_the_cluster() -> None:
    alias = """
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: shop}
spec: {type: ExternalName, externalName: ratings.shop.svc.cluster.local}
"""
    assert "alias.shop.svc.cluster.local" not in table(alias)


@pytest.mark.row("DN-02", "SC-09")
def test_only_what_the_proxy_sees() -> None:
    sidecar = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec: {egress: [{hosts: ["./ratings.shop.svc.cluster.local"]}]}
"""
    hidden = entry("private.test", "[1.2.3.4]").replace("spec:\n", 'spec:\n  exportTo: ["~"]\n')
    assert list(table(sidecar)) == ["ratings.shop.svc.cluster.local"]
    assert "private.test" not in table(hidden)


@pytest.mark.row("DN-01", "XD-13")
def test_only_proxies_with_a_dns_server_have_a_table() -> None:
    assert NAME_TABLE not in made(flags={}).types
    assert NAME_TABLE not in made(flags={"DNS_CAPTURE": "false"}).types
    assert list(made().get(NAME_TABLE)) == [""]
    assert NAME_TABLE not in made(flags={}, where="istio-system/edge-0").types
    assert NAME_TABLE in made(flags={"ENABLE_DNS_SERVER": "true"}, where="istio-system/edge-0").types


def test_the_same_services_make_the_same_bytes() -> None:
    one, other = (made(DATABASE % "true").get(NAME_TABLE)[""] for _ in range(2))
    assert one == other
