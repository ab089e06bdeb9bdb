from __future__ import annotations

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build
from tests.meshes import NETWORKING, new


def gateway(name: str, host: str, credential: str = "c", selector: str = "ingressgateway") -> Object:
    tls = {"mode": "SIMPLE", "credentialName": credential}
    server = {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": [host], "tls": tls}
    return new(NETWORKING, "Gateway", "shop", name, {"selector": {"istio": selector}, "servers": [server]})


def told(*gateways: Object) -> list[tuple[str, str, str]]:
    found = build(Config().with_objects(gateways)).findings
    return [(f.code, f.name, f.field) for f in found if f.code == "IST0138"]


@pytest.mark.row("GW-29")
def test_the_younger_of_two_gateways_with_one_certificate_is_told() -> None:
    assert told(gateway("a", "a.com"), gateway("b", "b.com")) == [
        ("IST0138", "b", "spec.servers[0].tls.credentialName")
    ]
    assert told(gateway("a", "a.com"), gateway("b", "b.com", "d")) == []
    assert told(gateway("a", "a.com"), gateway("b", "b.com", "c", "other")) == []
