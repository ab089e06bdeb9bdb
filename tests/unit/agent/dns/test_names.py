"""What a pod in namespace ``shop`` may call the mesh's hosts."""

import socket
from typing import Any

import pytest

from mizzen.agent.dns.names import Names

TABLE: dict[str, dict[str, Any]] = {
    "web.shop.svc.cluster.local": {
        "ips": ["10.0.0.1"],
        "registry": "Kubernetes",
        "shortname": "web",
        "namespace": "shop",
    },
    "web.bank.svc.cluster.local": {
        "ips": ["10.0.0.2", "2001:db8::2"],
        "registry": "Kubernetes",
        "shortname": "web",
        "namespace": "bank",
    },
    "db-0.db.shop.svc.cluster.local": {
        "ips": ["10.1.0.5"],
        "registry": "Kubernetes",
        "shortname": "db-0.db",
        "namespace": "shop",
    },
    "Api.Example.com": {"ips": ["240.240.0.9"], "registry": "External"},
    "*.wild.test": {"ips": ["10.0.0.7"], "registry": "External"},
    "*.deep.wild.test": {"ips": ["10.0.0.8"], "registry": "External"},
    "exact.wild.test": {"ips": ["10.0.0.9"], "registry": "External"},
    "nothing.test": {"ips": [], "registry": "External"},
    "bad.test": {"ips": ["10.0.0.0/8", "x"], "registry": "External"},
    "web.far.svc.other.example": {"ips": ["10.9.9.9"], "registry": "External"},
}


def names(search: str = "shop.svc.cluster.local") -> Names:
    return Names(TABLE, "shop.svc.cluster.local", "shop", search)


@pytest.mark.parametrize(
    ("name", "address", "alias"),
    [
        ("web.shop.svc.cluster.local", "10.0.0.1", ""),
        ("web.shop.svc", "10.0.0.1", ""),
        ("web.shop", "10.0.0.1", ""),
        ("web", "10.0.0.1", ""),
        ("web.bank.svc.cluster.local", "10.0.0.2", ""),
        ("web.bank.svc", "10.0.0.2", ""),
        ("web.bank", "10.0.0.2", ""),
        ("db-0.db.shop.svc.cluster.local", "10.1.0.5", ""),
        ("db-0.db.shop", "10.1.0.5", ""),
        ("db-0.db", "10.1.0.5", ""),
        ("api.example.com", "240.240.0.9", ""),
        ("web.bank.shop.svc.cluster.local", "10.0.0.2", "web.bank"),
        ("web.shop.svc.cluster.local.shop.svc.cluster.local", "10.0.0.1", "web.shop.svc.cluster.local"),
        ("api.example.com.shop.svc.cluster.local", "240.240.0.9", "api.example.com"),
        ("a.wild.test.shop.svc.cluster.local", "10.0.0.7", "a.wild.test"),
        ("a.wild.test", "10.0.0.7", ""),
        ("a.b.c.wild.test", "10.0.0.7", ""),
        ("a.deep.wild.test", "10.0.0.8", ""),
        ("exact.wild.test", "10.0.0.9", ""),
        ("web.far.svc.other.example", "10.9.9.9", ""),
    ],
)
def test_names_of_the_mesh(name: str, address: str, alias: str) -> None:
    found = names().find(name)
    assert found is not None
    assert (found.addresses[0], found.alias) == (socket.inet_aton(address), alias)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "api",
        "bank",
        "svc",
        "wild.test",
        "nothing.test",
        "bad.test",
        "web.far.svc",
        "web.far",
        "api.example",
        "web.cluster.local",
        "shop.svc.cluster.local",
        "nobody.shop.svc.cluster.local",
        "api.example.com.svc.cluster.local",
    ],
)
def test_names_of_others(name: str) -> None:
    assert names().find(name) is None


def test_a_bare_name_is_of_the_own_namespace_alone() -> None:
    from_bank = Names(TABLE, "bank.svc.cluster.local", "bank", "bank.svc.cluster.local")
    found = from_bank.find("web")
    assert found is not None
    assert found.addresses[0] == socket.inet_aton("10.0.0.2")
    assert from_bank.find("db-0.db") is None


def test_without_a_search_domain_nothing_is_an_alias() -> None:
    assert names("").find("api.example.com.shop.svc.cluster.local") is None


def test_the_table_is_shown_as_it_came_without_what_has_no_address() -> None:
    shown = names().document()
    assert shown["web.bank.svc.cluster.local"] == TABLE["web.bank.svc.cluster.local"]
    assert shown["api.example.com"] == {"ips": ["240.240.0.9"], "registry": "External"}
    assert "nothing.test" not in shown
    assert len(names()) == len(shown)
