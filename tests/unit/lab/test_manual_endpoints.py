"""Endpoints objects become slices where a Service without selector waits for them."""

from typing import Any

import pytest

from mizzen.lab.manual_endpoints import mirrored

Raw = dict[str, Any]


def endpoints(*subsets: Raw, **labels: str) -> Raw:
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "db", "namespace": "shop", "uid": "u", "labels": labels},
        "subsets": list(subsets),
    }


SERVICE: Raw = {"metadata": {"name": "db", "namespace": "shop"}, "spec": {"ports": [{"port": 5432}]}}
SUBSET: Raw = {
    "addresses": [{"ip": "10.0.0.1", "hostname": "one"}, {"ip": "2001:db8::1"}],
    "notReadyAddresses": [{"ip": "10.0.0.2"}],
    "ports": [{"name": "tcp", "port": 5432}],
}


@pytest.mark.row("OL-12")
def test_a_slice_for_each_subset_and_family() -> None:
    ((_, slices),) = mirrored([endpoints(SUBSET, {**SUBSET, "ports": [{"port": 1, "appProtocol": "http"}]})], [SERVICE])
    assert [(s["addressType"], len(s["endpoints"])) for s in slices] == [("IPv4", 2), ("IPv6", 1)] * 2
    assert len({s["metadata"]["name"] for s in slices}) == 4
    first = slices[0]
    assert first["metadata"]["labels"]["kubernetes.io/service-name"] == "db"
    assert first["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert first["ports"] == [{"name": "tcp", "port": 5432, "protocol": "TCP"}]
    assert first["endpoints"] == [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": True, "serving": True}, "hostname": "one"},
        {"addresses": ["10.0.0.2"], "conditions": {"ready": False, "serving": False}},
    ]
    assert slices[2]["ports"] == [{"name": "", "port": 1, "protocol": "TCP", "appProtocol": "http"}]


@pytest.mark.row("OL-12")
def test_none_where_pods_are_selected_or_nobody_asks() -> None:
    selecting = {**SERVICE, "spec": {"selector": {"app": "db"}}}
    for services in ([selecting], [], [{**SERVICE, "metadata": {"name": "db", "namespace": "bank"}}]):
        ((_, slices),) = mirrored([endpoints(SUBSET)], services)
        assert slices == []
    skipped = endpoints(SUBSET, **{"endpointslice.kubernetes.io/skip-mirror": "true"})
    assert mirrored([skipped], [SERVICE])[0][1] == []
