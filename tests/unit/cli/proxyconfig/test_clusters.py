from __future__ import annotations

import json

import pytest

from mizzen.cli.proxyconfig.clusters import parts, row
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh
from tests.unit.cli.proxyconfig.dumps import CLUSTERS


@pytest.mark.row("IX-10")
def test_clusters(proxy: FakeMesh, mizzen: Mizzen) -> None:
    out = mizzen("pc", "clusters", "p").out
    assert (
        out.splitlines()[0]
        == "SERVICE FQDN                          PORT     SUBSET     DIRECTION     TYPE             DESTINATION RULE"
    )
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["9080", "-", "inbound", "ORIGINAL_DST"],
        ["BlackHoleCluster", "-", "-", "-", "STATIC"],
        ["reviews.default.svc.cluster.local", "9080", "-", "outbound", "EDS", "reviews.default"],
        ["reviews.default.svc.cluster.local", "9080", "v2", "outbound", "EDS", "reviews.default"],
    ]


@pytest.mark.row("IX-10")
def test_clusters_are_filtered(proxy: FakeMesh, mizzen: Mizzen) -> None:
    assert json.loads(mizzen("pc", "c", "p", "--subset", "v2", "--fqdn", "rev", "-o", "json").out) == [CLUSTERS[0]]
    assert json.loads(mizzen("pc", "c", "p", "--port", "9080", "--direction", "inbound", "-o", "json").out) == [
        CLUSTERS[2]
    ]


def test_only_names_of_four_parts_are_taken_apart() -> None:
    assert parts("outbound|80||a.b.svc.cluster.local") == ("outbound", "80", "", "a.b.svc.cluster.local")
    assert parts("PassthroughCluster") is None


def test_a_cluster_of_an_extension_shows_the_extensions_name() -> None:
    found = row(
        {"name": "outbound|443||*.example.com", "cluster_type": {"name": "envoy.clusters.dynamic_forward_proxy"}}
    )
    assert found == ("*.example.com", "443", "-", "outbound", "envoy.clusters.dynamic_forward_proxy", "")
