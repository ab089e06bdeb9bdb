"""Notes on a mesh config that decodes."""

from typing import Any

import pytest

from mizzen.api.decode import decode_mesh
from mizzen.check.mesh_config import notes_on


def notes(**mesh: Any) -> dict[str, bool]:
    config, problems = decode_mesh(mesh)
    assert not [problem for problem in problems if problem.fatal]
    return {problem.path: problem.fatal for problem in notes_on(config)}


def test_the_defaults_are_fine() -> None:
    assert notes() == {}


@pytest.mark.row("MC-01", "MC-26", "MC-27")
@pytest.mark.parametrize(
    ("mesh", "path", "fatal"),
    [
        ({"proxyListenPort": 0}, "proxyListenPort", True),
        ({"proxyInboundListenPort": 70000}, "proxyInboundListenPort", True),
        (
            {
                "outboundTrafficPolicy": {
                    "mode": "ALLOW_ANY_DYNAMIC_DNS",
                    "tls": {"mode": "SIMPLE", "credentialName": "a"},
                }
            },
            "outboundTrafficPolicy.tls.credentialName",
            True,
        ),
        ({"connectTimeout": "0s"}, "connectTimeout", True),
        ({"protocolDetectionTimeout": "-1s"}, "protocolDetectionTimeout", True),
        (
            {"discoverySelectors": [{"matchExpressions": [{"key": "a", "operator": "Is"}]}]},
            "discoverySelectors[0]",
            True,
        ),
        ({"meshMTLS": {"ecdhCurves": ["P-256"]}}, "meshMTLS.ecdhCurves", True),
        ({"accessLogEncoding": "JSON", "accessLogFormat": "text"}, "accessLogFormat", False),
        ({"accessLogEncoding": "JSON", "accessLogFormat": '{"a": "%OOPS%"}'}, "accessLogFormat", False),
        ({"accessLogFormat": "%OOPS%"}, "accessLogFormat", False),
        ({"meshMTLS": {"cipherSuites": ["moon"]}}, "meshMTLS.cipherSuites[0]", False),
        ({"tlsDefaults": {"ecdhCurves": ["P-256", "P-256"]}}, "tlsDefaults.ecdhCurves[1]", False),
        ({"tlsDefaults": {"ecdhCurves": ["moon"]}}, "tlsDefaults.ecdhCurves[0]", False),
        ({"proxyHttpPort": 15002}, "proxyHttpPort", False),
        ({"verifyCertificateAtClient": True}, "verifyCertificateAtClient", False),
    ],
)
def test_values(mesh: dict[str, Any], path: str, fatal: bool) -> None:
    assert notes(**mesh) == {path: fatal}


@pytest.mark.row("MC-11", "MC-15", "PC-12")
@pytest.mark.parametrize(
    ("mesh", "path"),
    [
        ({"caCertificates": [{"pem": "x"}]}, "caCertificates"),
        ({"extensionProviders": [{"name": "s", "sds": {"service": "x", "port": 1}}]}, "extensionProviders[0]"),
        ({"extensionProviders": [{"zipkin": {}}]}, "extensionProviders[0]"),
        (
            {"extensionProviders": [{"name": "a", "zipkin": {}}, {"name": "A", "zipkin": {}}]},
            "extensionProviders[1].name",
        ),
        ({"defaultProviders": {"metrics": ["stackdriver"]}}, "defaultProviders.metrics"),
        ({"defaultConfig": {"tracing": {"lightstep": {}}}}, "defaultConfig.tracing.lightstep"),
        (
            {"defaultConfig": {"tracing": {"customTags": {"a": {"header": {"name": ""}}}}}},
            "defaultConfig.tracing.customTags.a.header.name",
        ),
        ({"defaultConfig": {"tracing": {"sampling": 101}}}, "defaultConfig.tracing.sampling"),
        ({"defaultConfig": {"statNameLength": 100}}, "defaultConfig.statNameLength"),
        ({"defaultConfig": {"proxyBootstrapTemplatePath": "/x"}}, "defaultConfig.proxyBootstrapTemplatePath"),
        ({"defaultConfig": {"controlPlaneAuthPolicy": "NONE"}}, "defaultConfig.controlPlaneAuthPolicy"),
    ],
)
def test_fields_without_effect_are_told(mesh: dict[str, Any], path: str) -> None:
    assert notes(**mesh) == {path: False}
