"""The rules of rows TC-01..07, 10, 11, 13 for one address family, as values. Order within a chain is meaning."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from mizzen.capture.options import Options, split

INBOUND, IN_REDIRECT = "ISTIO_INBOUND", "ISTIO_IN_REDIRECT"
OUTPUT, REDIRECT, DNS = "ISTIO_OUTPUT", "ISTIO_REDIRECT", "ISTIO_OUTPUT_DNS"
DIVERT, TPROXY, DROP = "ISTIO_DIVERT", "ISTIO_TPROXY", "ISTIO_DROP"
TABLES = ("mangle", "nat", "raw")
_CHAIN_ORDER = (INBOUND, REDIRECT, IN_REDIRECT, OUTPUT, DIVERT, TPROXY, DNS, DROP)


@dataclass(frozen=True)
class Rule:
    """``insert`` is the position (1 first) for a rule that goes before others, 0 for one that is appended."""

    table: str
    chain: str
    match: str
    insert: int = 0

    @property
    def text(self) -> str:
        """As a line of iptables-restore."""
        return f"-I {self.chain} {self.insert} {self.match}" if self.insert else f"-A {self.chain} {self.match}"


def rules(options: Options, version: int = 4) -> list[Rule]:
    """All rules for IPv4 or IPv6, in the order in which they are applied."""
    return _Family(options, version).build()


def chains(found: list[Rule], table: str) -> list[str]:
    """Our own chains in ``table``."""
    names = {rule.chain for rule in found if rule.table == table and rule.chain.startswith("ISTIO_")}
    return [name for name in _CHAIN_ORDER if name in names]


def restore(found: list[Rule]) -> str:
    """The text for ``iptables-restore --noflush``."""
    lines = []
    for table in TABLES:
        if mine := [rule for rule in found if rule.table == table]:
            lines += [f"* {table}", *(f"-N {name}" for name in chains(found, table))]
            lines += [*(rule.text for rule in mine), "COMMIT"]
    return "\n".join(lines) + "\n" if lines else ""


class _Family:
    def __init__(self, options: Options, version: int) -> None:
        self._options, self._version = options, version
        self._found: list[Rule] = []
        self._self = options.loopback if version == 4 else "::1/128"
        self._inbound_source = "127.0.0.6/32" if version == 4 else "::6/128"
        self._include = self._ranges(options.outbound_ranges)
        self._dns = options.dns_servers if version == 4 else options.dns_servers_v6
        # With DNS capture on, port 53 over loopback must stay visible to the rules after these.
        self._dns_matches = options.captures_dns

    def build(self) -> list[Rule]:
        self._interfaces()
        self._base()
        self._inbound()
        self._outbound()
        if self._dns_matches:
            self._zones()
        if self._options.drop_invalid:
            self._add("mangle", "PREROUTING", f"-p tcp -m conntrack --ctstate INVALID -j {DROP}")
            self._add("mangle", DROP, "-j DROP")
        return self._found

    def _add(self, table: str, chain: str, match: str, insert: int = 0) -> None:
        self._found.append(Rule(table, chain, match, insert))

    def _ranges(self, text: str) -> tuple[str, ...]:
        """Those of this family; ``*`` alone is kept."""
        if text.strip() == "*":
            return ("*",)
        return tuple(r for r in split(text) if ipaddress.ip_network(r, strict=False).version == self._version)

    def _interfaces(self) -> None:
        for name in split(self._options.exclude_interfaces):
            for table in ("mangle", "nat") if self._options.mode == "TPROXY" else ("nat",):
                self._add(table, "PREROUTING", f"-i {name} -j RETURN")
                self._add(table, "OUTPUT", f"-o {name} -j RETURN")
        for name in split(self._options.reroute_interfaces):
            self._add("nat", "PREROUTING", f"-i {name} -j RETURN", insert=1)

    def _base(self) -> None:
        options = self._options
        self._add("nat", INBOUND, f"-p tcp --dport {options.tunnel_port} -j RETURN")
        self._add("nat", REDIRECT, f"-p tcp -j REDIRECT --to-ports {options.outbound_port}")
        self._add("nat", IN_REDIRECT, f"-p tcp -j REDIRECT --to-ports {options.inbound_port}")

    def _inbound(self) -> None:
        options = self._options
        if not options.inbound_ports:
            return
        table, target = ("mangle", TPROXY) if options.tproxy else ("nat", IN_REDIRECT)
        if options.tproxy:
            mark = options.tproxy_mark
            self._add("mangle", DIVERT, f"-j MARK --set-mark {mark}")
            self._add("mangle", DIVERT, "-j ACCEPT")
            to = f"-j TPROXY --tproxy-mark {mark}/0xffffffff --on-port {options.inbound_port}"
            self._add("mangle", TPROXY, f"! -d {self._self} -p tcp {to}")
        self._add(table, "PREROUTING", f"-p tcp -j {INBOUND}")
        established = f"-m conntrack --ctstate RELATED,ESTABLISHED -j {DIVERT}"
        if options.inbound_ports.strip() == "*":
            for port in split(options.inbound_ports_exclude):
                self._add(table, INBOUND, f"-p tcp --dport {port} -j RETURN")
            if options.tproxy:
                self._add("mangle", INBOUND, f"-p tcp {established}")
            self._add(table, INBOUND, f"-p tcp -j {target}")
        else:
            for port in split(options.inbound_ports):
                if options.tproxy:
                    self._add("mangle", INBOUND, f"-p tcp --dport {port} {established}")
                self._add(table, INBOUND, f"-p tcp --dport {port} -j {target}")

    def _outbound(self) -> None:
        options = self._options
        self._add("nat", "OUTPUT", f"-j {OUTPUT}")
        for port in split(options.outbound_ports_exclude):
            self._output(f"-p tcp --dport {port} -j RETURN")
            if self._dns_matches:
                self._output(f"-p udp --dport {port} -j RETURN")
        self._output(f"-o lo -s {self._inbound_source} -j RETURN")
        for owner in [f"--uid-owner {uid}" for uid in options.uids]:
            self._proxy(owner, "-m multiport ! --dports 53,{}" if self._dns_matches else "! --dport {}")
        for owner in [f"--gid-owner {gid}" for gid in options.gids]:
            self._proxy(owner, "! --dport {}")
        self._groups()
        if self._dns_matches:
            self._redirect_dns()
        self._output(f"-d {self._self} -j RETURN")
        for excluded in self._ranges(options.outbound_ranges_exclude):
            self._output(f"-d {excluded} -j RETURN")
        for port in split(options.outbound_ports):
            self._output(f"-p tcp --dport {port} -j {REDIRECT}")
        self._included()
        if options.mode == "TPROXY":
            self._tproxy_output()

    def _output(self, match: str) -> None:
        self._add("nat", OUTPUT, match)

    def _proxy(self, owner: str, ports: str) -> None:
        """The proxy's own packets: its calls to the app through the service come back in, all else leaves (row TC-02)."""
        not_tunnel = ports.format(self._options.tunnel_port)
        self._output(f"-o lo ! -d {self._self} -p tcp {not_tunnel} -m owner {owner} -j {IN_REDIRECT}")
        loopback = any(
            r != "*" and ipaddress.ip_network(r, strict=False).is_loopback for r in split(self._options.outbound_ranges)
        )
        if not loopback:
            protocol = "-p tcp ! --dport 53 " if self._dns_matches else ""
            self._output(f"-o lo {protocol}-m owner ! {owner} -j RETURN")
        self._output(f"-m owner {owner} -j RETURN")

    def _groups(self) -> None:
        options = self._options
        if options.owner_groups.strip() == "*":
            for group in split(options.owner_groups_exclude):
                self._output(f"-m owner --gid-owner {group} -j RETURN")
        else:
            every = " ".join(f"-m owner ! --gid-owner {group}" for group in split(options.owner_groups))
            self._output(f"{every} -j RETURN".strip())

    def _redirect_dns(self) -> None:
        to = self._options.dns_port
        targets = [""] if self._options.capture_all_dns else [f"-d {_host(server)} " for server in self._dns]
        if targets:
            self._output(f"-j {DNS}")
        for target in targets:
            self._add("nat", DNS, f"-p tcp --dport 53 {target}-j REDIRECT --to-ports {to}")
        for target in targets:
            self._add("nat", DNS, f"-p udp --dport 53 {target}-j REDIRECT --to-port {to}")

    def _included(self) -> None:
        interfaces = split(self._options.reroute_interfaces)
        for included in self._include:
            target = "" if included == "*" else f"-d {included} "
            for name in interfaces:
                self._add("nat", "PREROUTING", f"-i {name} {target}-j {REDIRECT}", insert=1)
            self._output(f"{target}-j {REDIRECT}")

    def _tproxy_output(self) -> None:
        mark = self._options.tproxy_mark
        own = str(int(mark) + 1)
        self._add("mangle", "PREROUTING", f"-p tcp -m mark --mark {mark} -j CONNMARK --save-mark")
        self._add("mangle", "OUTPUT", f"-p tcp -o lo -m mark --mark {mark} -j RETURN")
        owners = [f"--uid-owner {uid}" for uid in self._options.uids] + [
            f"--gid-owner {gid}" for gid in self._options.gids
        ]
        for owner in owners:
            self._add("mangle", "OUTPUT", f"! -d {self._self} -p tcp -o lo -m owner {owner} -j MARK --set-mark {own}")
        self._add("mangle", "OUTPUT", f"-p tcp -m connmark --mark {mark} -j CONNMARK --restore-mark")
        # What is marked already, or comes from the inbound side itself, or from the app over loopback, stays as it is.
        self._add("mangle", INBOUND, f"-p tcp -m mark --mark {mark} -j RETURN", insert=1)
        self._add("mangle", INBOUND, f"-p tcp -s {self._inbound_source} -i lo -j RETURN", insert=2)
        self._add("mangle", INBOUND, f"-p tcp -i lo -m mark ! --mark {own} -j RETURN", insert=3)

    def _zones(self) -> None:
        """Two conntrack zones, so that the agent's own queries are not taken for the client's (row TC-10)."""
        port = self._options.dns_port
        self._add("raw", "OUTPUT", f"-j {DNS}")
        owners = [f"--uid-owner {uid}" for uid in self._options.uids] + [
            f"--gid-owner {gid}" for gid in self._options.gids
        ]
        for owner in owners:
            self._add("raw", DNS, f"-p udp --dport 53 -m owner {owner} -j CT --zone 1")
            self._add("raw", DNS, f"-p udp --sport {port} -m owner {owner} -j CT --zone 2")
        servers = (
            [("", "")] if self._options.capture_all_dns else [(f"-d {_host(s)} ", f"-s {_host(s)} ") for s in self._dns]
        )
        if servers:
            self._add("raw", "PREROUTING", f"-j {INBOUND}")
        for to, source in servers:
            self._add("raw", DNS, f"-p udp --dport 53 {to}-j CT --zone 2")
            self._add("raw", INBOUND, f"-p udp --sport 53 {source}-j CT --zone 1")


def _host(address: str) -> str:
    return f"{address}/{ipaddress.ip_address(address).max_prefixlen}"
