from __future__ import annotations

import re

import pytest

from mizzen.cli.proxyconfig.listeners import addresses, destination, kind, match_text, path_text
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh
from tests.unit.cli.proxyconfig.dumps import http, listener, tcp


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


def test_the_text_of_a_match_names_all_that_it_matches_by() -> None:
    match = {
        "server_names": ["a.test", "b.test"],
        "transport_protocol": "tls",
        "application_protocols": ["istio"],
        "prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}],
        "destination_port": 443,
    }
    assert (
        match_text({"filter_chain_match": match}) == "SNI: a.test,b.test; Trans: tls; App: istio; Addr: 10.0.0.0/8:443"
    )
    assert match_text({"filter_chain_match": {"destination_port": 0}}) == "Addr: *:0"
    assert match_text({}) == "ALL"


def test_a_chain_leads_to_routes_or_to_a_cluster() -> None:
    only = {"virtual_hosts": [{"domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "x|80"}}]}]}
    more = {
        "virtual_hosts": [{"domains": ["a", "b"], "routes": [{"match": {"path": "/p"}}, {"match": {"prefix": "/q"}}]}]
    }
    assert destination({"filters": [http(route_config=only)]}) == "Cluster: x|80"
    assert destination({"filters": [http(route_config=more)]}) == "Inline Route: a/b /p, /q*"
    assert destination({"filters": [tcp("BlackHoleCluster")]}) == "Non-HTTP/Non-TCP"


def test_a_chain_that_only_refuses_is_no_type_of_a_listener() -> None:
    refusing = listener("x", "0.0.0.0", 80, {"filters": [tcp("BlackHoleCluster")]})
    assert kind(refusing) == "UNKNOWN"
    assert kind({**refusing, "default_filter_chain": {"filters": [http()]}}) == "HTTP"


def test_additional_addresses_are_shown_too() -> None:
    more = [{"address": {"socket_address": {"address": "::", "port_value": 80}}}]
    assert addresses(listener("x", "0.0.0.0", 80, additional_addresses=more)) == ["0.0.0.0", "::"]


def test_each_kind_of_path_has_its_text() -> None:
    assert path_text({"path_separated_prefix": "/a"}) == "PathPrefix:/a"
    assert path_text({"safe_regex": {"regex": "/a.*"}}) == "regex /a.*"
