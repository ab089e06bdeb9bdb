"""The tables as a person gets them, over a pod of the fake mesh."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, pod
from tests.unit.cli.proxyconfig.dumps import CLUSTERS, DUMP, STATUSES


@pytest.fixture
def proxy(mesh: FakeMesh) -> FakeMesh:
    mesh.put(pod("p"))
    dump = json.dumps(DUMP).encode()
    mesh.envoy = {
        "/config_dump": dump,
        "/config_dump?include_eds": dump,
        "/clusters?format=json": json.dumps(STATUSES).encode(),
    }
    return mesh


def cells(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in text.splitlines()]


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


@pytest.mark.row("IX-11")
def test_listeners(proxy: FakeMesh, mizzen: Mizzen) -> None:
    lines = mizzen("pc", "listeners", "p").out.splitlines()
    assert re.split(r" +", lines[0]) == ["ADDRESSES", "PORT", "MATCH", "DESTINATION"]
    assert [re.sub(r" +", " ", line) for line in lines[1:]] == [
        "10.96.0.9 3306 ALL Cluster: outbound|3306||mysql.default.svc.cluster.local",
        "0.0.0.0 9080 App: http/1.1,h2c Route: 9080",
        "0.0.0.0 9080 ALL PassthroughCluster",
        "0.0.0.0 15006 Trans: tls HTTP",
    ]
    brief = mizzen("pc", "l", "p", "--verbose=false", "--type", "http+tcp").out.splitlines()
    assert [line.split() for line in brief] == [["ADDRESSES", "PORT", "TYPE"], ["0.0.0.0", "9080", "HTTP+TCP"]]


@pytest.mark.row("IX-12")
def test_routes(proxy: FakeMesh, mizzen: Mizzen) -> None:
    assert cells(mizzen("pc", "routes", "p").out) == [
        ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"],
        [
            "9080",
            "reviews.default.svc.cluster.local:9080",
            "reviews, reviews.default + 1 more...",
            "/*",
            "reviews.default",
        ],
        ["9080", "nothing", "nothing", "/*", "404"],
    ]
    assert cells(mizzen("pc", "r", "p", "--verbose=false").out)[1] == ["9080", "3"]
    assert mizzen("pc", "r", "p", "--name", "80", "-o", "json").out == "[]\n"


@pytest.mark.row("IX-13")
def test_endpoints(proxy: FakeMesh, mizzen: Mizzen) -> None:
    name = "outbound|9080||reviews.default.svc.cluster.local"
    assert cells(mizzen("pc", "endpoints", "p").out) == [
        ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
        ["10.255.0.10:9080", "HEALTHY", "OK", name],
        ["10.255.0.9:9080", "HEALTHY", "FAILED", name],
    ]
    filtered = json.loads(mizzen("pc", "ep", "p", "--address", "10.255.0.9", "--status", "healthy", "-o", "json").out)
    assert [len(status["host_statuses"]) for status in filtered] == [1]
    assert mizzen("pc", "ep", "p", "--cluster", "reviews", "-o", "json").out == "[]\n"


@pytest.mark.row("IX-16")
def test_no_secrets(proxy: FakeMesh, mizzen: Mizzen) -> None:
    assert mizzen("pc", "secrets", "p").out == "No active or warming secrets found.\n"


def test_bootstrap(proxy: FakeMesh, mizzen: Mizzen) -> None:
    assert json.loads(mizzen("pc", "bootstrap", "p").out) == DUMP["configs"][0]
    assert mizzen("pc", "b", "p", "-o", "short").out.splitlines()[0] == "Istio Version:       0.1.0"


def test_all_is_every_table_and_the_raw_dump(proxy: FakeMesh, mizzen: Mizzen) -> None:
    out = mizzen("pc", "all", "p").out
    for text in (
        "cluster/BlackHoleCluster",
        "listener/0.0.0.0 ",
        "route/9080",
        "endpoint/10.255.0.9:9080",
        "Istio Version:",
    ):
        assert text in out
    assert json.loads(mizzen("pc", "all", "p", "-o", "json").out) == DUMP


def test_log_levels_are_asked_of_envoy(proxy: FakeMesh, mizzen: Mizzen) -> None:
    proxy.envoy |= {
        "/logging": b"active loggers:\n  rbac: warning\n",
        "/logging?rbac=debug": b"rbac: debug\n",
        "/logging?level=warning": b"all\n",
    }
    assert mizzen("pc", "log", "p").out.startswith("p.default:\nactive loggers:")
    assert "rbac: debug" in mizzen("pc", "log", "p", "--level", "rbac:debug").out
    assert mizzen("pc", "log", "p", "--reset").code == 0
    assert mizzen("pc", "log", "p", "--level", "rbac:loud").code == 2
    assert mizzen("pc", "log", "p", "--level", "debug", "--reset").code == 2


def test_a_saved_dump(mizzen: Mizzen, tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_text(json.dumps(DUMP))
    assert "BlackHoleCluster" in mizzen("pc", "clusters", "-f", str(tmp_path / "dump.json")).out
    result = mizzen("pc", "endpoints", "-f", str(tmp_path / "dump.json"))
    assert result.code == 1
    assert "no answer of /clusters" in result.err
    assert mizzen("pc", "clusters").code == 2


@pytest.mark.row("IC-04")
@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("c", "clusters"),
        ("cluster", "clusters"),
        ("l", "listeners"),
        ("r", "routes"),
        ("ep", "endpoints"),
        ("s", "secrets"),
        ("a", "all"),
    ],
)
def test_short_forms_print_the_same(proxy: FakeMesh, mizzen: Mizzen, short: str, long: str) -> None:
    assert mizzen("pc", short, "p") == mizzen("proxy-config", long, "p")
