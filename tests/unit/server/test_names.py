"""The table of names as JSON."""

import json

from mizzen.model.resources import NAME_TABLE, Resource, ResourceSet
from mizzen.proto.name_table import NameTable
from mizzen.server import names


def resources(ip: str) -> ResourceSet:
    table = NameTable()
    table.table["web.shop.svc.cluster.local"].ips.append(ip)
    table.table["web.shop.svc.cluster.local"].registry = "Kubernetes"
    return ResourceSet.of([Resource.of(NAME_TABLE, "", table.SerializeToString(deterministic=True))])


def test_table_and_version() -> None:
    one, two = resources("10.0.0.1"), resources("10.0.0.2")
    assert names.version(one) != names.version(two) != ""
    assert json.loads(names.text(one)) == {
        "version": names.version(one),
        "table": {"web.shop.svc.cluster.local": {"ips": ["10.0.0.1"], "registry": "Kubernetes"}},
    }


def test_a_proxy_without_dns_server_has_none() -> None:
    assert names.version(ResourceSet()) == ""
    assert json.loads(names.text(ResourceSet())) == {"version": "", "table": {}}
