from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.conftest import Mizzen, Result
from tests.unit.cli.fake_mesh import FakeMesh

GROUP = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "WorkloadGroup",
    "metadata": {"name": "db", "namespace": "vms"},
    "spec": {"template": {"serviceAccount": "dba"}},
}
FILES = {"cluster.env", "mesh.yaml", "root-cert.pem", "istio-token", "hosts"}


@pytest.fixture
def running(mesh: FakeMesh) -> FakeMesh:
    """A mesh that has roots and a control plane with an address."""
    roots = {"name": "istio-ca-root-cert", "namespace": "istio-system"}
    mesh.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": roots, "data": {"root-cert.pem": "ROOT\n"}})
    istiod = {"name": "istiod", "namespace": "istio-system"}
    mesh.put({"apiVersion": "v1", "kind": "Service", "metadata": istiod, "spec": {"clusterIP": "10.96.0.9"}})
    return mesh


def configure(mizzen: Mizzen, directory: Path, *arguments: str) -> Result:
    return mizzen("x", "workload", "entry", "configure", "-o", str(directory), *arguments)


@pytest.mark.row("IX-34", "VM-01")
def test_five_files_for_a_group_in_a_file(running: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    source, target = tmp_path / "group.yaml", tmp_path / "vm"
    source.write_text(yaml.safe_dump(GROUP))
    istio = {"name": "istio", "namespace": "istio-system"}
    running.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": istio, "data": {"mesh": "trustDomain: td"}})
    result = configure(mizzen, target, "-f", str(source), "--autoregister", "--tokenDuration", "2h")
    assert (result.code, result.out) == (0, "")
    assert {path.name for path in target.iterdir()} == FILES
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in target.iterdir())
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert (target / "istio-token").read_text() == "vms/dba/istio-ca/7200"
    assert (target / "root-cert.pem").read_text() == "ROOT\n"
    assert (target / "hosts").read_text() == "10.96.0.9 istiod.istio-system.svc\n"
    assert "TRUST_DOMAIN=td\n" in (target / "cluster.env").read_text()
    metadata = yaml.safe_load((target / "mesh.yaml").read_text())["defaultConfig"]["proxyMetadata"]
    assert (metadata["ISTIO_META_AUTO_REGISTER_GROUP"], metadata["ISTIO_META_DNS_CAPTURE"]) == ("db", "true")


@pytest.mark.row("IX-34", "VM-01")
def test_a_group_of_the_mesh_and_the_gateways_address(running: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    running.put(GROUP)
    meta = {"name": "istio-eastwestgateway", "namespace": "istio-system"}
    gateway = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {}}
    running.put({**gateway, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}})
    assert configure(mizzen, tmp_path, "--name", "db", "-n", "vms", "--no-capture-dns").code == 0
    assert (tmp_path / "hosts").read_text().startswith("192.0.2.7 ")
    assert "DNS_CAPTURE" not in (tmp_path / "mesh.yaml").read_text()
    assert configure(mizzen, tmp_path, "--name", "db", "-n", "vms", "--ingressIP", "192.0.2.8").code == 0
    assert (tmp_path / "hosts").read_text().startswith("192.0.2.8 ")
    running.put({**gateway, "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}})
    result = configure(mizzen, tmp_path, "--name", "db", "-n", "vms")
    assert "the file hosts is empty" in result.err
    assert (tmp_path / "hosts").read_text() == ""


@pytest.mark.row("IX-34")
def test_cluster_revision_gateway_and_addresses(running: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    running.put(GROUP)
    meta = {"name": "edge", "namespace": "far"}
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}
    running.put({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {}, "status": status})
    place = ("--clusterID", "east", "-r", "canary", "--ingressService", "edge.far", "--externalIP", "203.0.113.5")
    assert configure(mizzen, tmp_path, "--name", "db", "-n", "vms", *place).code == 0
    env = (tmp_path / "cluster.env").read_text()
    for line in (
        "ISTIO_META_CLUSTER_ID=east",
        "ISTIO_SVC_IP=203.0.113.5",
        "REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION",
    ):
        assert line in env
    assert (tmp_path / "hosts").read_text() == "192.0.2.9 istiod-canary.istio-system.svc\n"
    assert "AUTO_REGISTER" not in env
    assert configure(mizzen, tmp_path, "--name", "db", "-n", "vms", "--internalIP", "10.0.0.5", *place).code == 0
    assert "ISTIO_SVC_IP=10.0.0.5\n" in (tmp_path / "cluster.env").read_text()


@pytest.mark.row("IX-34")
@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "say which WorkloadGroup"),
        (["--name", "db", "-f", "x"], 2, "say which WorkloadGroup"),
        (["--name", "other", "-n", "vms"], 1, "no WorkloadGroup"),
        (["--name", "db", "-n", "vms", "--internalIP", "x"], 2, "no address"),
        (["--name", "db", "-n", "vms", "--tokenDuration", "0"], 2, "at least a second"),
        (["--name", "bad", "-n", "vms"], 1, "not valid"),
        (["--name", "odd", "-n", "vms"], 1, "WorkloadGroup vms/odd"),
    ],
)
def test_what_cannot_be_written(
    running: FakeMesh, mizzen: Mizzen, tmp_path: Path, arguments: list[str], code: int, text: str
) -> None:
    running.put(GROUP)
    running.put({**GROUP, "metadata": {"name": "bad", "namespace": "vms"}, "spec": {}})
    annotations = {"proxy.istio.io/config": "[1]"}
    running.put({**GROUP, "metadata": {"name": "odd", "namespace": "vms", "annotations": annotations}})
    result = configure(mizzen, tmp_path / "out", *arguments)
    assert (result.code, result.out) == (code, "")
    assert text in result.err
    assert not (tmp_path / "out").exists()


def test_a_directory_that_cannot_be_written_to(running: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    running.put(GROUP)
    (tmp_path / "file").touch()
    result = configure(mizzen, tmp_path / "file" / "below", "--name", "db", "-n", "vms")
    assert (result.code, result.out) == (1, "")
    assert "the files cannot be written" in result.err
    assert "-o" in result.err


def test_a_mesh_without_roots(mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    mesh.put(GROUP)
    result = configure(mizzen, tmp_path / "out", "--name", "db", "-n", "vms")
    assert result.code == 1
    assert "no root certificate yet" in result.err
