"""Sidecars."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings

PORT = {"number": 90, "protocol": "HTTP", "name": "x"}


@pytest.mark.parametrize(("spec", "wrong"), [
    ({"egress": [{"hosts": ["./*", "~ns/a.com", "~/b.com"]}]}, []),
    ({}, ["spec"]),
    ({"egress": [{"hosts": ["*"]}]}, ["spec.egress[0].hosts[0]"]),
    ({"egress": [{"hosts": []}]}, ["spec.egress[0].hosts"]),
    ({"egress": [{"hosts": ["N!/a"]}]}, ["spec.egress[0].hosts[0]"]),
    ({"egress": [{"hosts": ["./*"]}, {"hosts": ["./*"]}]}, ["spec.egress[0]", "spec.egress"]),
    ({"egress": [{"port": PORT, "hosts": ["./*"]}, {"port": PORT, "hosts": ["./*"]}]}, ["spec.egress"]),
    ({"egress": [{"bind": "1.2.3.4", "hosts": ["./*"]}]}, ["spec.egress[0].bind"]),
    ({"egress": [{"port": {**PORT, "number": 0}, "bind": "unix:///x", "hosts": ["./*"], "captureMode": "IPTABLES"}]}, ["spec.egress[0].captureMode"]),
    ({"ingress": [{"port": PORT, "defaultEndpoint": "127.0.0.1:80"}]}, []),
    ({"ingress": [{"port": PORT, "defaultEndpoint": "[::1]:80"}]}, []),
    ({"ingress": [{"port": PORT, "defaultEndpoint": "1.1.1.1:80"}]}, ["spec.ingress[0].defaultEndpoint"]),
    ({"ingress": [{"port": PORT, "defaultEndpoint": "127.0.0.1:x"}]}, ["spec.ingress[0].defaultEndpoint"]),
    ({"ingress": [{"port": PORT, "defaultEndpoint": "unix:///" + "x" * 107}]}, ["spec.ingress[0].defaultEndpoint"]),
    ({"egress": [{"port": {**PORT, "number": 0}, "bind": "unix:///" + "x" * 107, "hosts": ["./*"]}]}, ["spec.egress[0].bind"]),
    ({"ingress": [{"port": PORT, "defaultEndpoint": "unix:///"}]}, ["spec.ingress[0].defaultEndpoint"]),
    ({"ingress": [{}]}, ["spec.ingress[0].port"]),
    ({"ingress": [{"port": {**PORT, "targetPort": 1}, "bind": "x"}]}, ["spec.ingress[0].port.targetPort", "spec.ingress[0].bind"]),
    ({"ingress": [{"port": PORT, "tls": {"mode": "ISTIO_MUTUAL"}}]}, ["spec.ingress[0].tls.mode"]),
    ({"ingress": [{"port": PORT, "tls": {"mode": "SIMPLE", "credentialName": "x"}}]}, ["spec.ingress[0].tls.credentialName"]),
    ({"inboundConnectionPool": {}}, ["spec.inboundConnectionPool"]),
    ({"outboundTrafficPolicy": {"mode": "ALLOW_ANY_DYNAMIC_DNS"}}, ["spec.outboundTrafficPolicy.mode"]),
    ({"outboundTrafficPolicy": {"egressProxy": {}}}, ["spec.outboundTrafficPolicy.egressProxy.host"]),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("Sidecar", spec) == wrong


def test_advice() -> None:
    assert warnings("Sidecar", {"egress": [{"hosts": ["test/*", "test/a.com"]}]}) == ["spec.egress[0].hosts"]
    tcp = {"port": {**PORT, "protocol": "TCP"}, "connectionPool": {"http": {"maxRetries": 1}}}
    assert warnings("Sidecar", {"ingress": [tcp]}) == ["spec.ingress[0].connectionPool.http"]
