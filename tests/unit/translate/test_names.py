"""Names that users, Kiali and EnvoyFilters key on."""

from __future__ import annotations

import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Service
from mizzen.translate import names


@pytest.mark.row("XD-22")
@pytest.mark.parametrize(
    ("subset", "cluster", "sni"),
    [("", "outbound|80||a.b", "outbound_.80_._.a.b"), ("v1", "outbound|80|v1|a.b", "outbound_.80_.v1_.a.b")],
)
def test_clusters_and_server_names(subset: str, cluster: str, sni: str) -> None:
    assert names.cluster(80, subset, "a.b") == cluster
    assert names.sni(80, subset, "a.b") == sni


@pytest.mark.row("MC-25")
def test_statistics_go_by_the_chosen_name() -> None:
    port = Port("http", 80, Protocol.HTTP, 8080)
    web = Service(hostname="web.shop.svc.cluster.local", name="web", namespace="shop", ports=(port,))
    every = "%SERVICE%_%SERVICE_NAME%_%SERVICE_FQDN%_%SERVICE_PORT%_%SERVICE_PORT_NAME%_%TARGET_PORT%_%SUBSET_NAME%"
    assert names.stat_name(every, web, port, "v1") == "web.shop_web_web.shop.svc.cluster.local_80_http_8080_v1;"
    entry = Service(hostname="out.example", name="out.example", namespace="shop", ports=(port,), from_kubernetes=False)
    assert names.stat_name("%SERVICE%", entry, port, "") == "out.example;"
    assert names.stat_name("inbound|80||", web, None, "") == "inbound|80||;"
