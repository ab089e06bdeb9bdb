"""Secrets that gateways and rules name by ``credentialName``, served over ADS (rows GW-12, GW-17, GW-19, GW-20, GW-31, DR-48)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.api import kubernetes as k8s
from mizzen.model.proxy import ProxyType
from mizzen.model.resources import SECRET, Resource
from mizzen.model.view import Scope
from mizzen.translate.file_secrets import client_tls
from mizzen.translate.messages import resource
from mizzen.translate.upstream_tls import CONFIG_MAP

_PREFIX = "kubernetes://"
_ROOTS = "-cacert"


def credentials(scope: Scope) -> Iterator[Resource]:
    """Certificates and client roots, only of the client's own namespace. A missing Secret gives nothing: that server's
    handshakes fail, the others stay up."""
    for name in sorted(_named(scope)):
        held = _secret(scope, name)
        certificate = held and _certificate(held)
        if certificate:
            yield resource(SECRET, f"{_PREFIX}{name}", _message(f"{_PREFIX}{name}", certificate))
        roots = _secret(scope, f"{name}{_ROOTS}") or held
        if roots and (trusted := _value(roots, ("ca.crt", "cacert"))):
            revoked = _value(roots, ("ca.crl", "crl"))
            yield resource(SECRET, f"{_PREFIX}{name}{_ROOTS}", _roots(f"{_PREFIX}{name}{_ROOTS}", trusted, revoked))
    yield from _config_maps(scope)


def _config_maps(scope: Scope) -> Iterator[Resource]:
    """Authorities in ConfigMaps, each of its rule's own namespace; they are no secret, so every client may have them (DR-48)."""
    found: dict[str, str] = {}
    for rule in scope.destination_rules.values():
        for tls in client_tls(rule.body):
            if tls.credential_name.startswith(CONFIG_MAP):
                found[tls.credential_name] = _authorities(scope, tls.credential_name, rule.namespace)
    for name in sorted(name for name, text in found.items() if text):
        yield resource(SECRET, name, _roots(name, found[name].encode(), b""))


def _authorities(scope: Scope, reference: str, namespace: str) -> str:
    """``configmap://NAMESPACE/NAME``, of which the namespace has to be the rule's; empty when there is none."""
    place, slash, name = reference.removeprefix(CONFIG_MAP).partition("/")
    if not slash:
        place, name = namespace, place
    maps = scope.snapshot.config.of("ConfigMap")
    held = maps.get((place, name)) or maps.get((place, name.removesuffix(_ROOTS)))
    return str(held.body.data.get("ca.crt", "")) if held is not None and place == namespace else ""


def _named(scope: Scope) -> set[str]:
    found: set[str] = set()
    for gateway in scope.gateways:
        for server in gateway.body.servers:
            if server.tls is not None:
                extra = server.tls.ca_cert_credential_name.removesuffix(_ROOTS)
                found |= {server.tls.credential_name, extra, *server.tls.credential_names}
    for rule in scope.destination_rules.values():
        if scope.proxy_type is ProxyType.ROUTER or rule.body.workload_selector is not None:
            found |= {tls.credential_name for tls in client_tls(rule.body)}
    return {name for name in found if name and not name.startswith(CONFIG_MAP)}


def _secret(scope: Scope, name: str) -> k8s.Secret | None:
    found = scope.snapshot.config.of("Secret").get((scope.namespace, name))
    return found.body if found is not None and isinstance(found.body, k8s.Secret) else None


def _certificate(held: k8s.Secret) -> tuple[bytes, bytes] | None:
    chain, key = _value(held, ("tls.crt", "cert")), _value(held, ("tls.key", "key"))
    return (chain, key) if chain and key else None


def _value(held: k8s.Secret, keys: tuple[str, ...]) -> bytes:
    for key in keys:
        if key in held.string_data:
            return held.string_data[key].encode()
        if key in held.data:
            try:
                return base64.b64decode(held.data[key], validate=True)
            except (binascii.Error, ValueError):
                return b""
    return b""


def _message(name: str, certificate: tuple[bytes, bytes]) -> secret_pb2.Secret:
    message = secret_pb2.Secret(name=name)
    message.tls_certificate.certificate_chain.inline_bytes, message.tls_certificate.private_key.inline_bytes = (
        certificate
    )
    return message


def _roots(name: str, trusted: bytes, revoked: bytes) -> secret_pb2.Secret:
    message = secret_pb2.Secret(name=name)
    message.validation_context.trusted_ca.inline_bytes = trusted
    if revoked:
        message.validation_context.crl.inline_bytes = revoked
    return message
