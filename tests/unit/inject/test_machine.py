"""The files of a machine, by its group and the mesh config."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from mizzen.api.decode import decode, decode_mesh
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.inject.machine import MachineFiles, MachineOptions, account_of, machine_files

LABELS = '{"app":"db","service.istio.io/canonical-name":"db","service.istio.io/canonical-revision":"v1","version":"v1"}'


def group(annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    raw = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadGroup",
        "metadata": {"name": "dbs", "namespace": "vms", "annotations": annotations or {}},
        "spec": {"template": {"serviceAccount": "db"}, **spec},
    }
    found = decode(raw).object
    assert found is not None
    return found


def made(obj: Object, mesh: MeshConfig | None = None, **options: Any) -> MachineFiles:
    return machine_files(obj, mesh or MeshConfig(), MachineOptions(**options))


def env(files: MachineFiles) -> dict[str, str]:
    pairs = (shlex.split(line)[0].partition("=") for line in files.cluster_env.splitlines())
    return {name: value for name, _, value in pairs}


@pytest.mark.row("VM-01", "IX-34")
def test_a_group_with_everything() -> None:
    obj = group(
        metadata={"labels": {"app": "weak", "version": "v1"}},
        template={
            "labels": {"app": "db"},
            "ports": {"sql": 5432, "http": 80},
            "network": "n1",
            "serviceAccount": "db",
        },
        probe={"httpGet": {"port": 80, "path": "/ok"}, "periodSeconds": 3},
    )
    mesh = decode_mesh({"trustDomain": "td", "defaultConfig": {"proxyMetadata": {"MINE": "a b"}, "statusPort": 15921}})[
        0
    ]
    files = made(obj, mesh, ingress_ip="192.0.2.1", internal_ip="10.0.0.9", external_ip="192.0.2.9", register=True)
    metadata = {
        "CANONICAL_SERVICE": "db",
        "CANONICAL_REVISION": "v1",
        "ISTIO_METAJSON_LABELS": LABELS,
        "ISTIO_META_AUTO_REGISTER_GROUP": "dbs",
        "ISTIO_META_CLUSTER_ID": "Kubernetes",
        "ISTIO_META_DNS_CAPTURE": "true",
        "ISTIO_META_MESH_ID": "td",
        "ISTIO_META_NETWORK": "n1",
        "ISTIO_META_POD_PORTS": '[{"containerPort":80,"name":"http"},{"containerPort":5432,"name":"sql"}]',
        "ISTIO_META_WORKLOAD_NAME": "dbs",
        "MINE": "a b",
        "POD_NAMESPACE": "vms",
        "SERVICE_ACCOUNT": "db",
        "TRUST_DOMAIN": "td",
    }
    assert files.mesh == {
        "defaultConfig": {
            "statusPort": 15921,
            "proxyMetadata": metadata,
            "readinessProbe": {"httpGet": {"port": 80, "path": "/ok"}, "periodSeconds": 3},
        }
    }
    assert env(files) == {
        **metadata,
        "ISTIO_INBOUND_PORTS": "80,5432",
        "ISTIO_LOCAL_EXCLUDE_PORTS": "22,15090,15021,15921",
        "ISTIO_NAMESPACE": "vms",
        "ISTIO_SERVICE": "dbs.vms",
        "ISTIO_SERVICE_CIDR": "*",
        "ISTIO_SVC_IP": "10.0.0.9",
    }
    assert files.hosts == "192.0.2.1 istiod.istio-system.svc\n"


@pytest.mark.row("VM-01", "VM-06")
def test_a_group_with_nothing() -> None:
    files = made(group(template={}), capture_dns=False)
    assert env(files)["ISTIO_INBOUND_PORTS"] == "*"
    assert env(files)["ISTIO_LOCAL_EXCLUDE_PORTS"] == "22,15090,15021,15020"
    assert env(files)["SERVICE_ACCOUNT"] == account_of(group(template={})) == "default"
    assert env(files)["CANONICAL_SERVICE"] == "dbs"
    assert not {"ISTIO_META_DNS_CAPTURE", "ISTIO_META_AUTO_REGISTER_GROUP", "ISTIO_SVC_IP", "CA_ADDR"} & set(env(files))
    pods = decode_mesh({"defaultConfig": {"readinessProbe": {"tcpSocket": {"port": 1}}}})[0]
    for found in (files, made(group(template={}), pods)):
        assert "readinessProbe" not in found.mesh["defaultConfig"]
    assert files.hosts == ""


@pytest.mark.row("VM-01")
def test_revisions_and_external_addresses() -> None:
    files = made(group(), revision="canary", ingress_ip="192.0.2.1", external_ip="192.0.2.9")
    assert env(files)["CA_ADDR"] == "istiod-canary.istio-system.svc:15012"
    assert files.mesh["defaultConfig"]["discoveryAddress"] == "istiod-canary.istio-system.svc:15012"
    assert files.hosts == "192.0.2.1 istiod-canary.istio-system.svc\n"
    assert env(files)["ISTIO_SVC_IP"] == "192.0.2.9"
    assert env(files)["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION"] == "true"


@pytest.mark.row("VM-01")
def test_annotations_of_the_group_and_of_its_entries() -> None:
    outer = {"proxy.istio.io/config": "{concurrency: 1, drainDuration: 7s, proxyMetadata: {A: outer, B: outer}}"}
    inner = {"proxy.istio.io/config": "{concurrency: 2, proxyMetadata: {A: inner}}"}
    config = made(group(outer, metadata={"annotations": inner})).mesh["defaultConfig"]
    assert (config["concurrency"], config["drainDuration"]) == (2, "7s")
    assert (config["proxyMetadata"]["A"], config["proxyMetadata"]["B"]) == ("inner", "outer")
    for bad in ({"proxy.istio.io/config": "[1]"}, {"proxy.istio.io/config": "{concurrency: x}"}):
        with pytest.raises(ValueError, match=r"proxy\.istio\.io/config|ProxyConfig|int"):
            made(group(bad))
        with pytest.raises(ValueError, match=r"ProxyConfig|int"):
            made(group(metadata={"annotations": bad}))


@pytest.mark.row("WE-06", "VM-04")
@pytest.mark.parametrize(
    "probe",
    [
        {"tcpSocket": {"port": 1, "host": "localhost"}, "failureThreshold": 2},
        {"exec": {"command": ["true", "x"]}, "initialDelaySeconds": 1, "timeoutSeconds": 2},
        {"grpc": {"port": 1, "service": "a"}, "successThreshold": 2},
        {
            "httpGet": {
                "port": 1,
                "host": "a",
                "scheme": "https",
                "httpHeaders": [{"name": "a", "value": "b"}],
            }
        },
    ],
)
def test_each_kind_of_probe_is_handed_on(probe: dict[str, Any]) -> None:
    assert made(group(probe=probe)).mesh["defaultConfig"]["readinessProbe"] == probe
