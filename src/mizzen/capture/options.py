"""What is captured. Names follow Istio's flags (row TC-15); texts are comma lists as users write them."""

from __future__ import annotations

from dataclasses import dataclass


def split(text: str) -> tuple[str, ...]:
    """A comma list without blanks and empty parts."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


@dataclass(frozen=True, kw_only=True)
class Options:
    """``inbound_ports`` and ``outbound_ranges``: ``*`` for all, empty for none."""

    outbound_port: str = "15001"
    inbound_port: str = "15006"
    tunnel_port: str = "15008"
    proxy_uid: str = "1337"
    proxy_gid: str = ""
    mode: str = "REDIRECT"
    inbound_ports: str = ""
    inbound_ports_exclude: str = ""
    outbound_ranges: str = ""
    outbound_ranges_exclude: str = ""
    outbound_ports: str = ""
    outbound_ports_exclude: str = ""
    exclude_interfaces: str = ""
    reroute_interfaces: str = ""
    owner_groups: str = "*"
    owner_groups_exclude: str = ""
    loopback: str = "127.0.0.1/32"
    tproxy_mark: str = "1337"
    tproxy_table: str = "133"
    redirect_dns: bool = False
    capture_all_dns: bool = False
    dns_port: str = "15053"
    dns_servers: tuple[str, ...] = ()
    dns_servers_v6: tuple[str, ...] = ()
    drop_invalid: bool = False
    native_nftables: bool = False
    iptables_binary: str = ""
    """``legacy`` or ``nft`` forces that one of the two; empty: the machine's own choice."""
    ipv6: bool = False

    @property
    def uids(self) -> tuple[str, ...]:
        return split(self.proxy_uid) or ("1337",)

    @property
    def gids(self) -> tuple[str, ...]:
        """The proxy's groups; its uids when none is named."""
        return split(self.proxy_gid) or self.uids

    @property
    def tproxy(self) -> bool:
        """TPROXY mode, which needs inbound ports to have any effect."""
        return self.mode == "TPROXY" and bool(self.inbound_ports)

    @property
    def captures_dns(self) -> bool:
        return self.redirect_dns and (self.capture_all_dns or bool(self.dns_servers) or bool(self.dns_servers_v6))
