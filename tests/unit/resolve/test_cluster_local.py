"""Which services stay in their cluster."""

from typing import Any

import pytest

from mizzen.api.decode import decode_mesh
from mizzen.resolve.cluster_local import ClusterLocal

USUAL = (
    "dns.kube-system.svc.cluster.local",
    "kubernetes.default.svc.cluster.local",
    "istiod.istio-system.svc.cluster.local",
)


def local(*settings: dict[str, Any], discovery: str = "") -> ClusterLocal:
    raw: dict[str, Any] = {"serviceSettings": list(settings)}
    if discovery:
        raw["defaultConfig"] = {"discoveryAddress": discovery}
    mesh, problems = decode_mesh(raw)
    assert not problems
    return ClusterLocal(mesh, "cluster.local")


def told(value: bool, *hosts: str) -> dict[str, Any]:
    return {"settings": {"clusterLocal": value}, "hosts": list(hosts)}


@pytest.mark.row("MCL-04", "MC-24")
def test_the_api_server_the_control_plane_and_kube_system_are_local_by_themselves() -> None:
    assert all(host in local() for host in USUAL)
    assert "web.shop.svc.cluster.local" not in local()
    other = local(discovery="pilot.mesh.svc:15012")
    assert "pilot.mesh.svc.cluster.local" in other
    assert USUAL[2] not in other


@pytest.mark.row("MCL-04", "MC-24")
def test_the_most_specific_host_counts() -> None:
    found = local(told(True, "*.shop.svc.cluster.local"), told(False, "web.shop.svc.cluster.local"))
    assert "db.shop.svc.cluster.local" in found
    assert "web.shop.svc.cluster.local" not in found


@pytest.mark.row("MCL-04", "MC-24")
@pytest.mark.parametrize("host", ["*.kube-system.svc.cluster.local", "dns.kube-system.svc.cluster.local"])
def test_a_host_that_may_cross_takes_its_default_away(host: str) -> None:
    found = local(told(False, host))
    assert "other.kube-system.svc.cluster.local" not in found
    assert "kubernetes.default.svc.cluster.local" in found
