from __future__ import annotations

import pytest

from mizzen.analyze.deprecation import deprecated, lightstep
from tests.unit.analyze.estates import found, obj


@pytest.mark.row("IM-02")
def test_old_fields_and_kinds() -> None:
    route = {"route": [{"destination": {"host": "a"}}]}
    old = {"hosts": ["a"], "http": [{**route, "fault": {"delay": {"percent": 10, "fixedDelay": "1s"}}}]}
    new = {"hosts": ["a"], "http": [{**route, "fault": {"delay": {"percentage": {"value": 10}, "fixedDelay": "1s"}}}]}
    aborted = {"hosts": ["a"], "http": [{**route, "fault": {"abort": {"httpStatus": 500}}}, route]}
    assert found(deprecated, obj("VirtualService", "v", aborted), obj("Sidecar", "s", {})) == []
    assert found(deprecated, obj("VirtualService", "v", old), obj("VirtualService", "w", new)) == [
        ("IST0002", "VirtualService default/v")
    ]
    policy = {"outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": {"host": "a"}}}
    assert found(deprecated, obj("Sidecar", "s", policy)) == [("IST0002", "Sidecar default/s")]
    assert found(deprecated, obj("Sidecar", "s", {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}})) == []
    crd = {"group": "rbac.istio.io", "names": {"kind": "ServiceRole"}}
    assert found(deprecated, obj("CustomResourceDefinition", "c", crd)) == [("IST0002", "CustomResourceDefinition c")]
    for kind in ("ClusterRbacConfig", "RbacConfig", "ServiceRole", "ServiceRoleBinding"):
        assert len(found(deprecated, obj("CustomResourceDefinition", "c", {**crd, "names": {"kind": kind}}))) == 1
    for other in ({"group": "other"}, {"names": {"kind": "Other"}}):
        assert found(deprecated, obj("CustomResourceDefinition", "c", {**crd, **other})) == []


@pytest.mark.row("IM-02")
def test_a_provider_of_the_past() -> None:
    mesh = {
        "extensionProviders": [{"name": "ls", "lightstep": {"service": "x", "port": 1}}, {"name": "z", "zipkin": {}}]
    }
    used = obj("Telemetry", "t", {"tracing": [{"providers": [{"name": "ls"}]}]})
    assert found(lightstep, used, mesh=mesh) == [("IST0002", "Telemetry default/t")]
    other = obj("Telemetry", "t", {"tracing": [{"providers": [{"name": "z"}]}]})
    assert found(lightstep, other, mesh=mesh) == []
