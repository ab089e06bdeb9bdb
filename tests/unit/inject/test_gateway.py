"""Row IT-05: a pod that is only a proxy."""

import pytest

from mizzen.inject import InjectSettings, ProxySettings
from tests.unit.inject.pods import pod, run


@pytest.mark.row("IT-05")
def test_the_gateway_template():
    annotations = {"inject.istio.io/templates": "gateway"}
    container_ = {"name": "istio-proxy", "image": "auto", "ports": [{"containerPort": 8443}]}
    injected = run(pod(annotations, containers=[container_]), InjectSettings(proxy=ProxySettings(image="x/proxyv2:1")))
    assert "initContainers" not in injected["spec"]
    (proxy,) = injected["spec"]["containers"]
    assert proxy["args"][:2] == ["proxy", "router"]
    assert proxy["image"] == "x/proxyv2:1"
    assert {p["containerPort"] for p in proxy["ports"]} == {15090, 8443}
    assert "startupProbe" not in proxy
    assert injected["spec"]["securityContext"]["sysctls"][0]["name"] == "net.ipv4.ip_unprivileged_port_start"
