"""Rows TC-01..06, 07, 10, 13: which rules, and in which order."""

import pytest

from mizzen.capture.options import Options
from mizzen.capture.rules import restore, rules

SIDECAR = Options(outbound_ranges="*", inbound_ports="*", inbound_ports_exclude="15090,15021,15020")


def chain(options, name, table="nat", version=4):
    return [rule.match for rule in rules(options, version) if (rule.table, rule.chain) == (table, name)]


@pytest.mark.row("TC-01", "TC-02", "TC-03", "TC-04")
def test_output_in_order():
    assert chain(SIDECAR, "ISTIO_OUTPUT") == [
        "-o lo -s 127.0.0.6/32 -j RETURN",
        "-o lo ! -d 127.0.0.1/32 -p tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT",
        "-o lo -m owner ! --uid-owner 1337 -j RETURN",
        "-m owner --uid-owner 1337 -j RETURN",
        "-o lo ! -d 127.0.0.1/32 -p tcp ! --dport 15008 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT",
        "-o lo -m owner ! --gid-owner 1337 -j RETURN",
        "-m owner --gid-owner 1337 -j RETURN",
        "-d 127.0.0.1/32 -j RETURN",
        "-j ISTIO_REDIRECT",
    ]


@pytest.mark.row("TC-05")
@pytest.mark.parametrize(
    ("included", "expected"),
    [
        ("*", ["-p tcp --dport 15020 -j RETURN", "-p tcp -j ISTIO_IN_REDIRECT"]),
        ("80,81", ["-p tcp --dport 80 -j ISTIO_IN_REDIRECT", "-p tcp --dport 81 -j ISTIO_IN_REDIRECT"]),
        ("", []),
    ],
)
def test_excluded_inbound_ports_count_only_with_a_star(included, expected):
    options = Options(inbound_ports=included, inbound_ports_exclude="15020")
    assert chain(options, "ISTIO_INBOUND") == ["-p tcp --dport 15008 -j RETURN", *expected]
    assert bool(chain(options, "PREROUTING")) is bool(included)


@pytest.mark.row("TC-06")
def test_excluded_ports_beat_all_and_excluded_ranges_beat_what_is_included():
    options = Options(
        outbound_ranges="10.0.0.0/8",
        outbound_ranges_exclude="10.9.0.0/16",
        outbound_ports="443",
        outbound_ports_exclude="9000",
    )
    found = chain(options, "ISTIO_OUTPUT")
    assert found[0] == "-p tcp --dport 9000 -j RETURN"
    assert found[-3:] == [
        "-d 10.9.0.0/16 -j RETURN",
        "-p tcp --dport 443 -j ISTIO_REDIRECT",
        "-d 10.0.0.0/8 -j ISTIO_REDIRECT",
    ]


@pytest.mark.row("TC-04")
def test_a_loopback_range_captures_the_apps_own_loopback_calls():
    found = chain(Options(outbound_ranges="127.0.0.1/24"), "ISTIO_OUTPUT")
    assert "-o lo -m owner ! --uid-owner 1337 -j RETURN" not in found


@pytest.mark.row("TC-06")
def test_interfaces():
    found = rules(Options(exclude_interfaces="eth9", reroute_interfaces="virt0", outbound_ranges="*"))
    texts = [rule.text for rule in found if rule.chain in ("PREROUTING", "OUTPUT")]
    assert "-A PREROUTING -i eth9 -j RETURN" in texts
    assert "-A OUTPUT -o eth9 -j RETURN" in texts
    assert texts.index("-I PREROUTING 1 -i virt0 -j RETURN") < texts.index("-I PREROUTING 1 -i virt0 -j ISTIO_REDIRECT")


@pytest.mark.row("TC-13")
def test_owner_groups():
    assert "-m owner ! --gid-owner java -m owner ! --gid-owner 202 -j RETURN" in chain(
        Options(owner_groups="java,202"), "ISTIO_OUTPUT"
    )
    assert "-m owner --gid-owner 7 -j RETURN" in chain(Options(owner_groups_exclude="7"), "ISTIO_OUTPUT")


@pytest.mark.row("TC-09")
def test_ipv6_takes_only_its_own_ranges():
    options = Options(outbound_ranges="10.0.0.0/8,2001:db8::/32")
    assert chain(options, "ISTIO_OUTPUT", version=6)[-1] == "-d 2001:db8::/32 -j ISTIO_REDIRECT"
    assert chain(options, "ISTIO_OUTPUT", version=6)[0] == "-o lo -s ::6/128 -j RETURN"
    assert "2001:db8" not in restore(rules(options))


@pytest.mark.row("TC-10")
def test_dns_goes_to_the_agent_in_zones():
    options = Options(redirect_dns=True, dns_servers=("10.96.0.10",))
    assert chain(options, "ISTIO_OUTPUT_DNS") == [
        "-p tcp --dport 53 -d 10.96.0.10/32 -j REDIRECT --to-ports 15053",
        "-p udp --dport 53 -d 10.96.0.10/32 -j REDIRECT --to-port 15053",
    ]
    assert "-p udp --sport 53 -s 10.96.0.10/32 -j CT --zone 1" in chain(options, "ISTIO_INBOUND", "raw")


@pytest.mark.row("TC-07")
def test_tproxy_marks_in_the_mangle_table():
    options = Options(mode="TPROXY", inbound_ports="*")
    expected = "! -d 127.0.0.1/32 -p tcp -j TPROXY --tproxy-mark 1337/0xffffffff --on-port 15006"
    assert chain(options, "ISTIO_TPROXY", "mangle") == [expected]
    assert chain(options, "PREROUTING") == []


def test_the_restore_text_declares_each_chain_it_uses():
    text = restore(rules(SIDECAR))
    declared = {line.split()[1] for line in text.splitlines() if line.startswith("-N")}
    assert declared == {"ISTIO_INBOUND", "ISTIO_REDIRECT", "ISTIO_IN_REDIRECT", "ISTIO_OUTPUT"}
    assert text.endswith("COMMIT\n")
