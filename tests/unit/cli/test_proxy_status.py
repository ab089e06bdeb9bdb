from __future__ import annotations

import base64
import json
import re

import pytest

from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, ROUTE
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, pod
from tests.unit.cli.test_ps import POD

ENTRY = {
    "proxy": "sidecar~10.1.0.5~reviews-x.default~default.svc.cluster.local",
    "cluster_id": "Kubernetes",
    "version": "0.1.0",
    "types": {url: {"status": "SYNCED"} for url in (ROUTE, ENDPOINT, LISTENER)} | {CLUSTER: {"status": "STALE"}},
}
ISTIOD = {**POD, "namespace": "istio-system", "name": "istiod-abc"}


@pytest.mark.row("IX-09")
def test_the_default_table(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.syncz = [ENTRY, {**ENTRY, "proxy": "router~10.1.0.2~gw.istio-system~x", "types": {}}]
    mesh.status["pods"] = [ISTIOD]
    assert [re.split(r" {2,}", line) for line in mizzen("pst").out.splitlines()] == [
        ["NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES"],
        ["gw.istio-system", "Kubernetes", "istiod-abc", "0.1.0", "0"],
        ["reviews-x.default", "Kubernetes", "istiod-abc", "0.1.0", "4 (CDS,LDS,EDS,RDS)"],
    ]
    assert "gw.istio-system" not in mizzen("pst", "-n", "default").out


@pytest.mark.row("IX-09")
def test_a_column_per_type(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.syncz = [ENTRY]
    header, row = (line.split() for line in mizzen("pst", "-v", "1").out.splitlines())
    assert header == ["NAME", "CLUSTER", "CDS", "ECDS", "EDS", "LDS", "RDS", "ISTIOD", "VERSION"]
    assert row[2:7] == ["STALE", "IGNORED", "SYNCED", "SYNCED", "SYNCED"]


@pytest.mark.row("IX-09")
def test_one_proxy_is_compared_with_what_it_ought_to_hold(mesh: FakeMesh, mizzen: Mizzen) -> None:
    from envoy.config.cluster.v3 import cluster_pb2

    mesh.put(pod("reviews-x"))
    mesh.syncz = [ENTRY]
    body = base64.b64encode(cluster_pb2.Cluster(name="a", alt_stat_name="b").SerializeToString()).decode()
    mesh.resources = {CLUSTER: {"a": {"version": "1", "body": body}}}
    held = {"@type": CLUSTER, "name": "a", "alt_stat_name": "b"}
    dump = {
        "configs": [
            {
                "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
                "dynamic_active_clusters": [{"cluster": held}],
            }
        ]
    }
    mesh.envoy["/config_dump"] = json.dumps(dump).encode()
    assert mizzen("pst", "reviews-x").out == "Clusters Match\nListeners Match\nRoutes Match\n"
    held["alt_stat_name"] = "tampered"
    mesh.envoy["/config_dump"] = json.dumps(dump).encode()
    result = mizzen("pst", "reviews-x")
    assert result.code == 0
    assert "Clusters Don't Match" in result.out
    assert '+    "alt_stat_name": "tampered"' in result.out


def test_a_proxy_that_is_not_connected(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(pod("lonely"))
    result = mizzen("pst", "lonely")
    assert result.code == 1
    assert "is not connected to the control plane" in result.err
