from __future__ import annotations

from mizzen.capture.options import Options, split


def test_lists_are_read_without_blanks() -> None:
    assert split(" 80, ,443,") == ("80", "443")
    assert split("") == ()


def test_the_proxys_groups_are_its_users_where_none_is_named() -> None:
    assert Options(proxy_uid="0,1337").gids == ("0", "1337")
    assert Options(proxy_gid="7").gids == ("7",)
    assert Options(proxy_uid="").uids == ("1337",)


def test_tproxy_needs_ports() -> None:
    assert Options(mode="TPROXY", inbound_ports="*").tproxy
    assert not Options(mode="TPROXY").tproxy
    assert not Options(inbound_ports="*").tproxy


def test_dns_is_captured_when_asked_for_and_there_is_a_server_or_all_are_meant() -> None:
    assert not Options(redirect_dns=True).captures_dns
    assert not Options(dns_servers=("10.0.0.10",), capture_all_dns=True).captures_dns
    assert Options(redirect_dns=True, capture_all_dns=True).captures_dns
    assert Options(redirect_dns=True, dns_servers_v6=("fd00::1",)).captures_dns
