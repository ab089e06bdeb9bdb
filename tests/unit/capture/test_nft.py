"""Row TC-11: rules in nft's words."""

import pytest

from mizzen.capture import nft
from mizzen.capture.options import Options

SIDECAR = Options(outbound_ranges="*", inbound_ports="*")


@pytest.mark.row("TC-11")
@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("-p tcp --dport 15008 -j RETURN", "meta l4proto tcp tcp dport 15008 counter return"),
        (
            "-o lo ! -d 127.0.0.1/32 -j ISTIO_IN_REDIRECT",
            "oifname lo ip daddr != 127.0.0.1/32 counter jump istio-in-redirect",
        ),
        ("-p tcp -m multiport ! --dports 53,1 -j DROP", "meta l4proto tcp tcp dport != { 53, 1 } counter drop"),
        ("-m owner ! --uid-owner 7 -j RETURN", "meta skuid != 7 counter return"),
        (
            "-p tcp -m connmark --mark 5 -j CONNMARK --restore-mark",
            "meta l4proto tcp ct mark 5 counter meta mark set ct mark",
        ),
        ("-p udp --sport 53 -j CT --zone 1", "meta l4proto udp udp sport 53 counter ct zone set 1"),
        (
            "-p tcp -m conntrack --ctstate INVALID -j ISTIO_DROP",
            "meta l4proto tcp ct state invalid counter jump istio-drop",
        ),
    ],
)
def test_statements(match: str, expected: str) -> None:
    assert nft.statement(match, 4) == expected


@pytest.mark.parametrize("match", ["--moon 1 -j RETURN", "-p tcp"])
def test_a_rule_that_cannot_be_said_is_an_error(match: str) -> None:
    with pytest.raises(ValueError, match=r"moon|nothing"):
        nft.statement(match, 4)


@pytest.mark.row("TC-09", "TC-11")
def test_both_families_are_in_one_table_and_common_rules_there_once() -> None:
    lines = nft.script(Options(outbound_ranges="10.0.0.0/8,2001:db8::/32", inbound_ports="*", ipv6=True)).splitlines()
    assert sum("tcp dport 15008 counter return" in line for line in lines) == 1
    assert any("ip daddr 10.0.0.0/8 counter jump istio-redirect" in line for line in lines)
    assert any("ip6 daddr 2001:db8::/32 counter jump istio-redirect" in line for line in lines)
    assert any("ip6 saddr ::6/128" in line for line in lines)


@pytest.mark.row("TC-11")
def test_what_was_there_goes_first_and_only_used_chains_are_made() -> None:
    lines = nft.script(SIDECAR).splitlines()
    assert lines[:2] == ["add table inet istio-proxy-nat", "delete table inet istio-proxy-nat"]
    assert "add chain inet istio-proxy-nat output { type nat hook output priority -100 ; }" in lines
    assert "add table inet istio-proxy-mangle" in lines
    assert not any("add chain inet istio-proxy-mangle" in line for line in lines)
    assert nft.cleanup().count("delete table") == 3


@pytest.mark.row("TC-11")
def test_inserted_rules_end_up_in_front() -> None:
    found = [
        text
        for table, chain, text in nft.merged(Options(reroute_interfaces="v0", outbound_ranges="*", inbound_ports="*"))
        if (table, chain) == ("nat", "PREROUTING")
    ]
    assert found == [
        "iifname v0 counter jump istio-redirect",
        "iifname v0 counter return",
        "meta l4proto tcp counter jump istio-inbound",
    ]
