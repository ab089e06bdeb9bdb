"""By which names and resolvers a pod goes."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.lab.network_files import network_files


def files(**spec: Any) -> dict[str, str]:
    return network_files({"metadata": {"name": "web-0", "namespace": "shop"}, "spec": spec}, "10.1.0.5", "10.1.0.1")


def test_names_of_the_mesh_are_found_by_their_short_forms() -> None:
    found = files(dnsConfig={"searches": ["test"], "nameservers": ["192.0.2.1"]})
    assert found["/etc/resolv.conf"] == (
        "search shop.svc.cluster.local svc.cluster.local cluster.local test\nnameserver 10.1.0.1\noptions ndots:5\n"
    )
    assert "10.1.0.5\tweb-0\n" in found["/etc/hosts"]
    assert found["/etc/hostname"] == "web-0\n"


@pytest.mark.row("VM-06")
def test_a_pod_may_have_resolvers_of_its_own_and_no_others() -> None:
    config = {"nameservers": ["192.0.2.1", "192.0.2.2"]}
    found = files(dnsPolicy="None", dnsConfig=config)["/etc/resolv.conf"]
    assert found == "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"


def test_hosts_have_subdomains_and_aliases() -> None:
    found = files(hostname="a", subdomain="peers", hostAliases=[{"ip": "192.0.2.7", "hostnames": ["x.test", "x"]}])
    assert "10.1.0.5\ta.peers.shop.svc.cluster.local\ta\n192.0.2.7\tx.test x\n" in found["/etc/hosts"]
    assert found["/etc/hostname"] == "a\n"
