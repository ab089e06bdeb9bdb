from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.mesh_hosts import conflicting_hosts
from tests.unit.analyze.estates import Json, fields, found, messages, obj


def service(name: str, *hosts: str, namespace: str = "default", **more: Any) -> Json:
    return obj("VirtualService", name, {"hosts": list(hosts), **more}, namespace)


BOTH = [("IST0109", "VirtualService default/v"), ("IST0109", "VirtualService default/w")]


@pytest.mark.row("IM-08", "VS-08")
def test_two_services_of_one_host() -> None:
    assert found(conflicting_hosts, service("v", "a"), service("w", "a.default.svc.cluster.local")) == BOTH
    assert fields(conflicting_hosts, service("v", "a"), service("w", "a"))[0] == ("IST0109", "metadata.name")
    text = messages(conflicting_hosts, service("w", "a"), service("v", "a"))[0]
    assert "default/v,default/w all define the mesh host */a.default.svc.cluster.local" in text
    assert found(conflicting_hosts, service("v", "a"), service("w", "b")) == []
    assert found(conflicting_hosts, service("v", "a"), service("w", "a", namespace="other")) == []


@pytest.mark.row("IM-08")
def test_gateways_do_not_count() -> None:
    assert found(conflicting_hosts, service("v", "a"), service("w", "a", gateways=["g"])) == []
    assert found(conflicting_hosts, service("v", "a"), service("w", "a", gateways=["g", "mesh"])) == BOTH


@pytest.mark.row("IM-08")
def test_scopes() -> None:
    here, there = service("v", "x.org", exportTo=["."]), service("w", "x.org", namespace="other", exportTo=["."])
    assert found(conflicting_hosts, here, there) == []
    assert found(conflicting_hosts, here, service("w", "x.org")) == BOTH
    assert found(conflicting_hosts, here, service("w", "*.org")) == BOTH
    assert found(conflicting_hosts, service("v", "x.org"), service("w", "*.org")) == []
    assert found(conflicting_hosts, service("v", "*.org", exportTo=["."]), service("w", "x.org")) == BOTH
    assert found(conflicting_hosts, here, service("w", "y.org")) == []
    assert found(conflicting_hosts, here, service("w", "*.com")) == []
    assert found(conflicting_hosts, service("v", "*.org", exportTo=["."]), service("w", "x.com")) == []


@pytest.mark.row("IM-08")
def test_a_service_that_names_a_host_twice() -> None:
    twice = service("v", "a", "a.default.svc.cluster.local")
    assert found(conflicting_hosts, twice) == [("IST0109", "VirtualService default/v")]
