from __future__ import annotations

from mizzen.analyze.hosts import full, hosts_of, scopes
from tests.unit.analyze.estates import estate, obj, service


def test_full_names() -> None:
    assert full("a", "n") == "a.n.svc.cluster.local"
    assert (full("a.n", "x"), full("*", "x"), full("*.org", "x")) == ("a.n", "*", "*.org")


def test_where_an_object_is_visible() -> None:
    assert scopes((), "n") == scopes(("*", "x"), "n") == ["*"]
    assert scopes((".", "x"), "n") == ["n", "x"]


def test_where_an_object_looks() -> None:
    ports = [{"number": 80, "name": "a", "protocol": "HTTP"}]
    entry = obj("ServiceEntry", "e", {"hosts": ["x.org"], "ports": ports, "exportTo": ["."]}, "mine")
    hosts = hosts_of(estate(entry))
    assert hosts.find("x.org", "mine") is not None
    assert hosts.find("x.org", "mine", ["."]) is not None
    assert hosts.find("x.org", "other", ["mine"]) is not None
    assert hosts.find("x.org", "other") is None
    assert hosts.find("x.org", "mine", ["other"]) is None


def test_ports_of_one_host_are_united() -> None:
    ports = [{"number": 80, "name": "a", "protocol": "HTTP"}]
    more = [{"number": 81, "name": "b", "protocol": "HTTP"}]
    entries = [obj("ServiceEntry", f"e{i}", {"hosts": ["x.org"], "ports": p}) for i, p in enumerate((ports, more))]
    known = hosts_of(estate(*entries)).find("x.org", "any")
    assert known is not None
    assert known.ports == [80, 81]


def test_the_longest_way_to_a_wildcard() -> None:
    hosts = hosts_of(estate(obj("ServiceEntry", "e", {"hosts": ["*.x.org"], "ports": []})))
    assert hosts.find("a.x.org", "n") is not None
    assert hosts.find("*.x.org", "n") is not None
    assert hosts.find("x.org", "n") is None


def test_hosts_are_computed_once() -> None:
    one = estate(service("a"))
    assert hosts_of(one) is hosts_of(one)
