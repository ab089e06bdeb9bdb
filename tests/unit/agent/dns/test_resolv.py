"""What a DNS proxy reads of resolv.conf."""

from pathlib import Path

import pytest

from mizzen.agent.dns.resolv import Resolv, listening, load, read

TEXT = """
# nameserver 9.9.9.9
search shop.svc.cluster.local. svc.cluster.local
nameserver 10.0.0.10
nameserver fd00::a
nameserver nonsense
nameserver
options ndots:5
nameserver 10.0.0.10
"""


def test_servers_and_the_first_search_domain() -> None:
    assert read(TEXT) == Resolv(("10.0.0.10", "fd00::a"), "shop.svc.cluster.local")
    assert read("domain a.b\nsearch c.d\n").search == "c.d"
    assert read("") == Resolv()


@pytest.mark.row("DN-03")
def test_a_proxy_on_53_reads_the_file_of_before(tmp_path: Path) -> None:
    before, now = tmp_path / "before", tmp_path / "now"
    now.write_text("nameserver 127.0.0.1\n")
    assert load(53, (before, now)).servers == ("127.0.0.1",)
    before.write_text("nameserver 8.8.8.8\n")
    assert load(53, (before, now)).servers == ("8.8.8.8",)
    assert load(15053, (before, now)).servers == ("127.0.0.1",)
    assert load(15053, (before, tmp_path / "none")) == Resolv()


@pytest.mark.row("DN-01")
def test_loopback_of_the_families_that_the_servers_are_of() -> None:
    assert listening("localhost:15053", ("10.0.0.10",)) == (["127.0.0.1"], 15053)
    assert listening("localhost:15053", ("fd00::a",)) == (["::1"], 15053)
    assert listening("localhost:15053", ("10.0.0.10", "fd00::a")) == (["127.0.0.1", "::1"], 15053)
    assert listening("localhost:15053", ()) == (["127.0.0.1"], 15053)
    assert listening("0.0.0.0:53", ("fd00::a",)) == (["0.0.0.0"], 53)
    assert listening("[::]:53", ()) == (["::"], 53)


@pytest.mark.parametrize("address", ["", "localhost", "localhost:x", "localhost:70000", "1.2.3.4"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ValueError, match="DNS_PROXY_ADDR"):
        listening(address, ())
