"""Servers of a Gateway."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, server, warnings


@pytest.mark.parametrize(("spec", "wrong"), [
    (server("HTTP"), []),
    ({}, ["spec.servers"]),
    (server("HTTP", hosts=[]), ["spec.servers[0].hosts"]),
    (server("HTTP", hosts=["ns/*.a.com", "./b", "*/c", "1.2.3.4"]), []),
    (server("HTTP", hosts=["*bar.com"]), ["spec.servers[0].hosts[0]"]),
    (server("HTTP", hosts=["N!/a"]), ["spec.servers[0].hosts[0]"]),
    (server("SMTP"), ["spec.servers[0].port.protocol"]),
    (server("HTTP", port={}), ["spec.servers[0].port.name", "spec.servers[0].port.protocol", "spec.servers[0].port.number"]),
    (server("HTTP", port=None), ["spec.servers[0].port"]),
    (server("HTTPS"), ["spec.servers[0].tls"]),
    (server("HTTP", tls={"httpsRedirect": True}), []),
    (server("HTTP", tls={"mode": "SIMPLE", "credentialName": "c"}), ["spec.servers[0].tls"]),
    (server("TCP", tls={}), ["spec.servers[0].tls"]),
    (server("HTTP", bind="nowhere"), ["spec.servers[0].bind"]),
    (server("HTTP", bind="unix:///x"), ["spec.servers[0].port.number"]),
    ({"selector": {"a": "*"}, "servers": server("HTTP")["servers"]}, ["spec.selector"]),
    ({"servers": server("HTTP")["servers"] * 2}, ["spec.servers"]),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("Gateway", spec) == wrong


def test_fields_without_effect() -> None:
    assert warnings("Gateway", server("HTTP", defaultEndpoint="127.0.0.1:1")) == ["spec.servers[0].defaultEndpoint"]
    assert warnings("Gateway", server(tls={"httpsRedirect": True})) == ["spec.servers[0].tls.httpsRedirect"]
