"""Capture options, and the rules that Istio makes of them: as ordered rules for iptables, as sets per chain for nftables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from mizzen.capture import nft
from mizzen.capture.options import Options
from mizzen.capture.rules import restore, rules
from tests.conformance_data import data

_TEXT = {
    "ProxyPort": "outbound_port",
    "InboundCapturePort": "inbound_port",
    "InboundTunnelPort": "tunnel_port",
    "ProxyUID": "proxy_uid",
    "ProxyGID": "proxy_gid",
    "InboundInterceptionMode": "mode",
    "InboundTProxyMark": "tproxy_mark",
    "InboundTProxyRouteTable": "tproxy_table",
    "InboundPortsInclude": "inbound_ports",
    "InboundPortsExclude": "inbound_ports_exclude",
    "OwnerGroupsInclude": "owner_groups",
    "OwnerGroupsExclude": "owner_groups_exclude",
    "OutboundPortsInclude": "outbound_ports",
    "OutboundPortsExclude": "outbound_ports_exclude",
    "OutboundIPRangesInclude": "outbound_ranges",
    "OutboundIPRangesExclude": "outbound_ranges_exclude",
    "RerouteVirtualInterfaces": "reroute_interfaces",
    "ExcludeInterfaces": "exclude_interfaces",
    "HostIPv4LoopbackCidr": "loopback",
}
_SWITCHES = {
    "RedirectDNS": "redirect_dns",
    "CaptureAllDNS": "capture_all_dns",
    "DropInvalid": "drop_invalid",
    "EnableIPv6": "ipv6",
}
_LISTS = {"DNSServersV4": "dns_servers", "DNSServersV6": "dns_servers_v6"}
_ELSEWHERE = {"DryRun"}
"""Says how to run, not what to capture."""


def options(case: dict[str, Any]) -> Options:
    """The options of a case. Raises KeyError for one that is not known."""
    given = {**case["base"], **case["options"]}
    names = {**_TEXT, **_SWITCHES, **_LISTS}
    found = {names[name]: value for name, value in given.items() if name not in _ELSEWHERE}
    return Options(**{name: tuple(value) if isinstance(value, list) else value for name, value in found.items()})


def tables(lines: Iterable[str]) -> list[tuple[str, str, str]]:
    """(table, chain, rule) in order; ``iptables-save`` calls and chain declarations left out."""
    found, table = [], ""
    for line in lines:
        if line.startswith("*"):
            table = line.strip("* ")
        elif line.startswith(("-A ", "-I ")):
            found.append((table, line.split()[1], line))
    return found


@pytest.mark.row("TC-15")
def test_iptables_rules_equal_istios(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [case for case in data.cases("iptables.json") if case["kind"] == "iptables"]
    wrong = []
    for case in cases:
        chosen = options(case)
        mine = [restore(rules(chosen, version)) for version in ((4, 6) if chosen.ipv6 else (4,))]
        if tables("".join(mine).splitlines()) != tables(case["golden_lines"]):
            wrong.append(case["id"])
    share = data.score(capsys, "iptables.json, iptables", len(cases) - len(wrong), len(cases))
    assert share == 1, wrong


_CONDITION = re.compile(
    r"[io]ifname \S+|ip6? [sd]addr (?:!= )?\S+|(?:tcp|udp) [sd]port (?:!= )?(?:\{[^}]*\}|\S+)"
    r"|sk[ug]id (?:!= )?\S+|ct state \S+|(?:ct )?mark (?:!= )?\d+|meta nfproto \S+|tproxy ip6? to \S+"
)
_RULE = re.compile(r"(?:add|insert) rule inet istio-proxy-(\w+) (\S+) (?:index \d+ )?(.*)")


def meaning(rule: str) -> tuple[frozenset[str], str]:
    """The conditions, whose order is free, and what is done."""
    conditions, _, action = rule.replace("meta skuid", "skuid").replace("meta skgid", "skgid").partition(" counter ")
    return frozenset(_CONDITION.findall(conditions)), action or rule.removeprefix("counter ")


@pytest.mark.row("TC-11")
def test_nftables_rules_mean_what_istios_do(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [case for case in data.cases("iptables.json") if case["kind"] == "nftables"]
    wrong = []
    for case in cases:
        found = (_RULE.fullmatch(line) for line in case["golden_lines"])
        theirs = {(match[1], match[2], *meaning(match[3])) for match in found if match}
        lines = (_RULE.fullmatch(line) for line in nft.script(options(case)).splitlines())
        mine = {(match[1], match[2], *meaning(match[3])) for match in lines if match}
        if mine != theirs or not mine:
            wrong.append(case["id"])
    share = data.score(capsys, "iptables.json, nftables", len(cases) - len(wrong), len(cases))
    assert share == 1, wrong
