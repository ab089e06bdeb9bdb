"""Certificates and versions of a Gateway server."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, server, warnings

FILES = {"serverCertificate": "c", "privateKey": "k"}


@pytest.mark.parametrize(("tls", "wrong"), [
    ({"mode": "SIMPLE", "credentialName": "c"}, []),
    ({"mode": "SIMPLE", **FILES}, []),
    ({"mode": "SIMPLE"}, [".serverCertificate", ".privateKey"]),
    ({"mode": "SIMPLE", "credentialNames": ["c"], **FILES}, [""]),
    ({"mode": "SIMPLE", "credentialName": "c", "caCrl": "x"}, [".caCrl", ".caCrl"]),
    ({"mode": "SIMPLE", "tlsCertificates": [{"serverCertificate": "c"}]}, [".tlsCertificates[0].privateKey"]),
    ({"mode": "MUTUAL", **FILES}, [".caCertificates"]),
    ({"mode": "OPTIONAL_MUTUAL", "caCertificates": "ca", **FILES}, []),
    ({"mode": "ISTIO_MUTUAL"}, []),
    ({"mode": "ISTIO_MUTUAL", "credentialName": "c"}, [""]),
    ({"mode": "SIMPLE", "credentialName": "c", "minProtocolVersion": "TLSV1_3", "maxProtocolVersion": "TLSV1_2"}, [".minProtocolVersion"]),
])  # fmt: skip
def test_modes(tls: dict[str, Any], wrong: list[str]) -> None:
    assert errors("Gateway", server(tls=tls)) == [f"spec.servers[0].tls{w}" for w in wrong]


@pytest.mark.row("GW-23")
def test_advice() -> None:
    assert warnings("Gateway", server(tls={"mode": "PASSTHROUGH", "credentialName": "c"})) == ["spec.servers[0].tls"]
    suites = {
        "mode": "SIMPLE",
        "credentialName": "c",
        "cipherSuites": ["nonsense", "AES128-SHA", "AES128-SHA", "-AES256-SHA"],
    }
    assert warnings("Gateway", server(tls=suites)) == [
        "spec.servers[0].tls.cipherSuites[0]",
        "spec.servers[0].tls.cipherSuites[2]",
    ]
    old = {"mode": "SIMPLE", "credentialName": "c", "minProtocolVersion": "TLSV1_0"}
    assert warnings("Gateway", server(tls=old)) == ["spec.servers[0].tls.minProtocolVersion"]
    three = {"mode": "MUTUAL", "credentialNames": ["a", "b", "c"]}
    assert warnings("Gateway", server(tls=three)) == ["spec.servers[0].tls.credentialNames"]
