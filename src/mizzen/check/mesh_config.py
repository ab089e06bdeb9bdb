"""What is to be said of a mesh config that decodes: values that nobody can use, and fields without effect (rows MC-*).

A warning leaves the rest in force; an error keeps the mesh config that was in force before (row MC-01).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from mizzen.api import custom_tag, log_format
from mizzen.api.ciphers import is_curve, is_suite
from mizzen.api.mesh_config import MeshConfig, ProxyConfig, TLSConfig
from mizzen.api.reader import Problem
from mizzen.check import codes
from mizzen.model.label_selector import problem

_TRACES = ("zipkin", "datadog", "opentelemetry", "skywalking", "lightstep", "opencensus", "stackdriver")
_LOGS = ("envoyFileAccessLog", "envoyHttpAls", "envoyTcpAls", "envoyOtelAls")
_PROVIDERS = (*_TRACES, *_LOGS, "envoyExtAuthzHttp", "envoyExtAuthzGrpc", "prometheus")
_PORTS = ("proxy_listen_port", "proxy_inbound_listen_port")
_HOUR, _MILLISECOND = 3_600_000_000_000, 1_000_000


def notes_on(mesh: MeshConfig) -> tuple[Problem, ...]:
    """Every note, with paths inside the mesh config."""
    return (
        *_values(mesh),
        *_tls("meshMTLS", mesh.mesh_mtls),
        *_tls("tlsDefaults", mesh.tls_defaults),
        *_extension_providers(mesh),
        *_without_effect(mesh),
        *_proxy_config(mesh.default_config),
    )


def _values(mesh: MeshConfig) -> Iterator[Problem]:
    for name in _PORTS:
        if not 0 < getattr(mesh, name) < 65536:
            path = "proxyListenPort" if name == "proxy_listen_port" else "proxyInboundListenPort"
            yield Problem(path=path, message=f"{getattr(mesh, name)} is no port")
    if not _MILLISECOND <= mesh.connect_timeout.nanos <= _HOUR:
        yield Problem(path="connectTimeout", message="must be from 1ms to 1h")
    if mesh.protocol_detection_timeout.nanos < 0:
        yield Problem(path="protocolDetectionTimeout", message="may not be negative")
    if wrong := _format_problem(mesh):
        yield _warn("accessLogFormat", wrong)
    for index, selector in enumerate(mesh.discovery_selectors):
        if wrong := problem(selector):
            yield Problem(path=f"discoverySelectors[{index}]", message=wrong)
    tls = mesh.outbound_traffic_policy.tls
    if tls is not None and tls.credential_name:
        message = "sidecars hold no Secrets; name files of the proxy, or system roots by leaving both out"
        yield Problem(path="outboundTrafficPolicy.tls.credentialName", message=message)
    if mesh.mesh_mtls is not None and mesh.mesh_mtls.ecdh_curves:
        yield Problem(path="meshMTLS.ecdhCurves", message="curves cannot be chosen for traffic inside the mesh")


def _format_problem(mesh: MeshConfig) -> str:
    """Row LG-04."""
    text = mesh.access_log_format
    if text and mesh.access_log_encoding == "JSON":
        if not _is_object(text):
            return "is no JSON object; the default fields are written"
        wrong = log_format.problem_in(json.loads(text))
    else:
        wrong = log_format.problem(text)
    return wrong and f"{wrong}; the default format is used"


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _tls(path: str, tls: TLSConfig | None) -> Iterator[Problem]:
    if tls is None:
        return
    for field, written, known in (
        ("cipherSuites", tls.cipher_suites, is_suite),
        ("ecdhCurves", tls.ecdh_curves, is_curve),
    ):
        for index, name in enumerate(written):
            if not known(name):
                yield _warn(f"{path}.{field}[{index}]", f"{name!r} is not known and is left out")
            elif name in written[:index]:
                yield _warn(f"{path}.{field}[{index}]", f"{name!r} is there twice")


def _extension_providers(mesh: MeshConfig) -> Iterator[Problem]:
    names: set[str] = set()
    for index, raw in enumerate(mesh.extension_providers):
        path, name = f"extensionProviders[{index}]", str(raw.get("name") or "")
        if not name:
            yield _warn(path, "a provider without a name cannot be used")
        elif name.lower() in names:
            yield _warn(f"{path}.name", f"{name!r} is there twice; the last one counts")
        names.add(name.lower())
        if not any(kind in raw for kind in _PROVIDERS):
            kinds = ", ".join(sorted(raw.keys() - {"name"})) or "none"
            yield _warn(path, f"the provider has no effect: {kinds} is no sort that is served here")
    for name in mesh.default_providers.metrics:
        if name.lower() != "prometheus":
            yield _warn("defaultProviders.metrics", f"{name!r} has no effect: metrics are for Prometheus")


def _without_effect(mesh: MeshConfig) -> Iterator[Problem]:
    if any(ca.get("pem") or ca.get("spiffeBundleUrl") or ca.get("certSigners") for ca in mesh.ca_certificates):
        yield _warn("caCertificates", "further roots have no effect; only their trustDomains are accepted")
    if mesh.proxy_http_port:
        yield _warn("proxyHttpPort", "has no effect: proxies offer no HTTP proxy port")
    if mesh.verify_certificate_at_client is not None:
        yield _warn("verifyCertificateAtClient", "has no effect any more")


def _proxy_config(config: ProxyConfig) -> Iterator[Problem]:
    tracing = config.tracing
    old: Iterable[tuple[str, object]] = (
        ("lightstep", tracing.lightstep if tracing else None),
        ("stackdriver", tracing.stackdriver if tracing else None),
        ("openCensusAgent", tracing.open_census_agent if tracing else None),
    )
    for name, given in old:
        if given is not None:
            yield _warn(f"defaultConfig.tracing.{name}", "is no longer sent to; name an opentelemetry provider instead")
    if tracing is not None and not 0 <= tracing.sampling <= 100:
        yield _warn("defaultConfig.tracing.sampling", "is no share from 0 to 100; 1 is used")
    for name, tag in (tracing.custom_tags if tracing else {}).items():
        if found := custom_tag.problem(name, tag):
            path = ".".join(filter(None, ("defaultConfig.tracing.customTags", name, found[0])))
            yield _warn(path, f"{found[1]}; the tag is left out")
    if config.stat_name_length:
        yield _warn("defaultConfig.statNameLength", "has no effect: names have no limit any more")
    if config.proxy_bootstrap_template_path:
        yield _warn("defaultConfig.proxyBootstrapTemplatePath", "has no effect: the agent makes the bootstrap itself")
    if config.control_plane_auth_policy is not None:
        yield _warn("defaultConfig.controlPlaneAuthPolicy", "has no effect: the control plane is always asked by mTLS")


def _warn(path: str, message: str) -> Problem:
    return Problem(path=path, message=message, fatal=False, code=codes.ADVICE)
