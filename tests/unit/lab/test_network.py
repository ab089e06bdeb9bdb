"""Choice of subnets and addresses; namespaces themselves are tried in tests/e2e."""

from ipaddress import IPv4Network

import pytest

from mizzen.errors import LabError
from mizzen.lab import network


def test_a_subnet_that_nobody_uses() -> None:
    taken = [IPv4Network("10.77.0.0/16"), IPv4Network("10.78.4.0/24")]
    assert str(network.choose(taken).network) == "10.79.0.0/16"


def test_a_wanted_subnet_in_use_is_refused_with_a_hint() -> None:
    with pytest.raises(LabError) as caught:
        network.choose([IPv4Network("10.5.0.0/24")], "10.5.0.0/16")
    assert caught.value.hint


def test_an_address_is_not_given_again_within_a_minute() -> None:
    addresses = network.Addresses(network.Subnets(IPv4Network("10.5.0.0/20")))
    taken = [addresses.take(now=0) for _ in range(2048 - 256 - 1)]
    assert len(set(taken)) == len(taken)
    with pytest.raises(LabError):
        addresses.take(now=0)
    addresses.release(taken[5], now=100)
    with pytest.raises(LabError):
        addresses.take(now=159)
    assert addresses.take(now=160) == taken[5]


def test_interface_names_fit_the_kernel_and_differ() -> None:
    long = ["a" * 30, "a" * 31]
    assert len({network.link_name(name) for name in long}) == 2
    assert all(len(network.link_name(name)) <= 15 for name in [*long, "default"])


def test_a_mesh_reaches_no_other_but_the_services_of_its_peers() -> None:
    subnets = network.Subnets(IPv4Network("10.5.0.0/16"))
    alone = network.host_table("a", subnets, ())
    assert 'iifname "mz-a" oifname "mz-*" drop' in alone
    assert 'iifname "mz-*" oifname "mz-a" drop' in alone
    assert 'iifname "mz-*" oifname "mz-*"' not in alone, (
        "what other meshes do with each other is not for this one to say"
    )
    assert "accept" not in alone
    allowed = network.host_table("a", subnets, ["b"])
    assert allowed.index("accept") < allowed.index("drop")
    assert 'iifname "mz-b" oifname "mz-a" ip daddr 10.5.128.0/17 accept' in allowed
    assert 'iifname "mz-a" oifname "mz-b" accept' in allowed
