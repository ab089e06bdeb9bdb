"""Secrets that gateways and rules name, served over ADS (rows CG-01 to CG-08, GW-12, GW-17, GW-19, GW-20, GW-31, DR-48)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.api import kubernetes as k8s
from mizzen.api.destination_rule import ClientTLSSettings, TrafficPolicy
from mizzen.api.gateway import ServerTLSSettings
from mizzen.api.meta import Object
from mizzen.model import generated, key_pair
from mizzen.model.finding import Finding, Level, about
from mizzen.model.proxy import ProxyType
from mizzen.model.resources import SECRET, UNUSABLE_CREDENTIAL, Resource
from mizzen.model.view import DYNAMIC_DNS, Inbound, Scope
from mizzen.translate import credentials
from mizzen.translate.credentials import BUILTIN, CONFIG_MAP, GATEWAY, KUBERNETES, ROOTS, Name
from mizzen.translate.messages import resource
from mizzen.translate.proxy_identity import proxy_identity

_PAIRS = (("cert", "key"), ("tls.crt", "tls.key"))
_TRUSTED = (("cacert", "crl"), ("ca.crt", "ca.crl"))
SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
_STAPLE = "tls.ocsp-staple"
_Held = Mapping[str, bytes]


@dataclass(frozen=True)
class Wanted:
    """That ``owner`` needs the resource ``name``, because of what its ``field`` says."""

    name: str
    owner: Object
    field: str


def served(scope: Scope) -> tuple[list[Resource], tuple[Finding, ...]]:
    """Each secret that a proxy of ``scope`` may ask for, and a finding for each that is not there or not for it.

    What cannot be given is left out alone: that server's or cluster's handshakes fail, all others stay (row CG-03).
    """
    found: dict[str, Resource] = {}
    findings: dict[tuple[str, str], Finding] = {}
    for wanted in _wanted(scope):
        if wanted.name in found:
            continue
        made = _secret(scope, wanted)
        if isinstance(made, str):
            findings.setdefault((wanted.name, wanted.owner.name), _finding(wanted, made))
        else:
            found[wanted.name] = resource(SECRET, wanted.name, made)
    for name in _of_any_name(scope):
        found[name] = resource(SECRET, name, _of_files(name))
    identity = proxy_identity(scope.flags)
    for name in identity.names if identity is not None else ():
        found[name] = resource(SECRET, name, _of_files(name))
    return [found[name] for name in sorted(found)], tuple(findings.values())


def _of_any_name(scope: Scope) -> list[str]:
    """The files by which names that nobody declared are spoken to; without them their cluster would wait (row MC-02)."""
    tls = scope.mesh.outbound_traffic_policy.tls
    if scope.outbound_mode != DYNAMIC_DNS or scope.proxy_type is ProxyType.ROUTER or tls is None:
        return []
    return [name for name, _ in _of_client(tls)] if tls.mode in ("SIMPLE", "MUTUAL") else []


def of_inbound(served: Inbound) -> list[Resource]:
    """The files with which a sidecar ends TLS of the user's own (row SC-05); Secrets do not count there."""
    names = {name for port in served.ports if port.tls is not None for name, _ in _of_server(port.tls)}
    return [resource(SECRET, name, _of_files(name)) for name in sorted(names)]


def _wanted(scope: Scope) -> Iterator[Wanted]:
    for gateway in scope.gateways:
        for index, server in enumerate(gateway.body.servers):
            if server.tls is not None:
                for name, field in _of_server(server.tls):
                    yield Wanted(name, gateway, f"spec.servers[{index}].tls.{field}")
    for rule in scope.destination_rules.values():
        by_name = scope.proxy_type is ProxyType.ROUTER or rule.body.workload_selector is not None
        policies = [("spec.trafficPolicy", rule.body.traffic_policy)]
        policies += [(f"spec.subsets[{i}].trafficPolicy", s.traffic_policy) for i, s in enumerate(rule.body.subsets)]
        for path, policy in policies:
            for field, tls in _blocks(policy):
                if by_name or not tls.credential_name or tls.credential_name.startswith(f"{CONFIG_MAP}://"):
                    for name, what in _of_client(tls):
                        yield Wanted(name, rule, f"{path}{field}.tls.{what}")


def _of_server(tls: ServerTLSSettings) -> Iterator[tuple[str, str]]:
    if tls.mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL"):
        return
    own = tls.credential_names or ((tls.credential_name,) if tls.credential_name else ())
    for credential in own:
        yield credentials.certificate_name(credential), "credentialName" if tls.credential_name else "credentialNames"
    if not own:
        files = [(c.server_certificate, c.private_key) for c in tls.tls_certificates]
        for chain, key in files or [(tls.server_certificate, tls.private_key)]:
            yield credentials.file_certificate_name(chain, key), "serverCertificate"
    if tls.mode in ("MUTUAL", "OPTIONAL_MUTUAL") and not tls.insecure_skip_verify:
        if own:
            yield credentials.roots_name(tls.ca_cert_credential_name or own[0]), "caCertCredentialName"
        elif tls.ca_certificates:
            yield credentials.file_roots_name(tls.ca_certificates), "caCertificates"


def _blocks(policy: TrafficPolicy | None) -> Iterator[tuple[str, ClientTLSSettings]]:
    if policy is None:
        return
    blocks = [
        ("", policy.tls),
        *((f".portLevelSettings[{i}]", p.tls) for i, p in enumerate(policy.port_level_settings)),
    ]
    for field, tls in blocks:
        if tls is not None and tls.mode in ("SIMPLE", "MUTUAL"):
            yield field, tls


def _of_client(tls: ClientTLSSettings) -> Iterator[tuple[str, str]]:
    if tls.mode == "MUTUAL" and tls.credential_name:
        yield credentials.certificate_name(tls.credential_name), "credentialName"
    elif tls.mode == "MUTUAL":
        yield credentials.file_certificate_name(tls.client_certificate, tls.private_key), "clientCertificate"
    if tls.insecure_skip_verify:
        return
    if tls.credential_name:
        yield credentials.roots_name(tls.credential_name), "credentialName"
    else:
        yield credentials.file_roots_name(tls.ca_certificates or credentials.SYSTEM), "caCertificates"


def _secret(scope: Scope, wanted: Wanted) -> secret_pb2.Secret | str:
    """The message, or why there is none."""
    if wanted.name.startswith((f"{credentials.FILE}:", f"{credentials.FILE_ROOTS}:")):
        return _of_files(wanted.name)
    name = Name.parse(wanted.name)
    if name.kind == BUILTIN:
        return "the workload's own certificate needs no Secret"
    refusal = _refusal(scope, name, wanted.owner)
    if refusal:
        return refusal
    if name.name.endswith(ROOTS):
        return _roots(scope, wanted.name, name)
    return _certificate(scope, wanted.name, name)


def _refusal(scope: Scope, name: Name, owner: Object) -> str:
    """Why a proxy of ``scope`` may not have it, empty when it may (row CG-03)."""
    if name.kind == KUBERNETES and name.namespace not in ("", scope.namespace):
        return f"a proxy of namespace {scope.namespace} gets no Secret of namespace {name.namespace}"
    if name.kind == KUBERNETES and not scope.lists_secrets and not name.name.endswith(ROOTS):
        who = f"service account {scope.account}" if scope.account else "its service account"
        return f"{who} of namespace {scope.namespace} may not list Secrets there: bind a Role with verb list on secrets"
    if name.kind == GATEWAY and generated.of_gateway_api(owner):
        # What no ReferenceGrant permits was never put there; but the Secret is for the Gateway's own proxies (row GW-31).
        account = owner.meta.annotations.get(generated.ACCOUNT, "")
        return f"it is for service account {account}" if account and scope.account != account else ""
    if name.kind == GATEWAY and name.namespace != owner.namespace:
        return f"a Gateway of namespace {owner.namespace} may not name a Secret of namespace {name.namespace}"
    if name.kind not in (KUBERNETES, GATEWAY, CONFIG_MAP):
        return f"names that begin with {name.kind}:// are never served"
    if name.kind == CONFIG_MAP and not name.name.endswith(ROOTS):
        return "a ConfigMap holds only roots, no certificate"
    return ""


def _certificate(scope: Scope, resource_name: str, name: Name) -> secret_pb2.Secret | str:
    held = _data(scope, name, name.name)
    if held is None:
        return f"there is no Secret {name.name} in namespace {name.namespace or scope.namespace}"
    for chain, key in _PAIRS:
        if held.get(chain) and held.get(key):
            staple = held.get(_STAPLE, b"") if chain == "tls.crt" else b""
            fault = key_pair.pair_fault(held[chain], held[key]) or (key_pair.staple_fault(staple) if staple else "")
            if fault:
                return f"{fault} (Secret {name.name})"
            message = secret_pb2.Secret(name=resource_name)
            certificate = message.tls_certificate
            certificate.certificate_chain.inline_bytes, certificate.private_key.inline_bytes = held[chain], held[key]
            if staple:
                certificate.ocsp_staple.inline_bytes = staple
            return message
    return f"Secret {name.name} has neither tls.crt and tls.key nor cert and key"


def _roots(scope: Scope, resource_name: str, name: Name) -> secret_pb2.Secret | str:
    """Roots in a Secret of their own if there is one, else beside the certificate."""
    base = name.name.removesuffix(ROOTS)
    own = _data(scope, name, name.name)
    held = own if own is not None else _data(scope, name, base)
    if held is None:
        kind = "ConfigMap" if name.kind == CONFIG_MAP else "Secret"
        return f"there is no {kind} {base}{ROOTS} or {base} in namespace {name.namespace or scope.namespace}"
    for trusted, revoked in _TRUSTED:
        if held.get(trusted):
            fault = key_pair.roots_fault(held[trusted], held.get(revoked, b""))
            if fault:
                return f"{fault} ({name.name})"
            message = secret_pb2.Secret(name=resource_name)
            message.validation_context.trusted_ca.inline_bytes = held[trusted]
            if held.get(revoked):
                message.validation_context.crl.inline_bytes = held[revoked]
            return message
    return f"{name.name} has no roots, neither ca.crt nor cacert"


def _data(scope: Scope, name: Name, named: str) -> _Held | None:
    """By key, what the Secret or ConfigMap ``named`` holds; None when there is none."""
    kind = "ConfigMap" if name.kind == CONFIG_MAP else "Secret"
    found = scope.snapshot.config.of(kind).get((name.namespace or scope.namespace, named))
    body: k8s.Secret | k8s.ConfigMap | None = found.body if found is not None else None
    return body.held if body is not None else None


def _of_files(name: str) -> secret_pb2.Secret:
    """A secret that says where the files lie in the pod. Envoy watches their directory (``watched_directory``)."""
    kind, _, path = name.partition(":")
    path, _, key = path.partition("~")
    path = SYSTEM_ROOTS if kind == credentials.FILE_ROOTS and path == credentials.SYSTEM else path
    message = secret_pb2.Secret(name=name)
    directory = base_pb2.WatchedDirectory(path=path.rpartition("/")[0] or "/")
    if kind == credentials.FILE_ROOTS:
        message.validation_context.trusted_ca.filename = path
        message.validation_context.watched_directory.CopyFrom(directory)
        return message
    certificate = message.tls_certificate
    certificate.certificate_chain.filename, certificate.private_key.filename = path, key
    certificate.watched_directory.CopyFrom(directory)
    return message


def _finding(wanted: Wanted, reason: str) -> Finding:
    text = f"no secret for {wanted.name}: {reason}"
    return about(wanted.owner, UNUSABLE_CREDENTIAL, Level.WARNING, text, wanted.field)
