"""Certificates in files of the client's own pod, named in a secret over ADS (rows DR-45, DR-46, DR-49, DR-52).

The secret holds only paths: Envoy reads the files itself, and again when something is renamed in their directory (Envoy:
``core.v3.DataSource`` in a ``tls.v3.Secret``). So a rotated file needs no change of a cluster, and one that is missing
costs its own cluster alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.api.destination_rule import ClientTLSSettings, DestinationRule, TrafficPolicy
from mizzen.model.resources import SECRET, Resource
from mizzen.model.view import Scope
from mizzen.translate.messages import resource

SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
SYSTEM = "file-root:system"
_CERTIFICATE, _ROOT = "file-cert:", "file-root:"
_BETWEEN = "~"


def certificate_name(chain: str, key: str) -> str:
    return f"{_CERTIFICATE}{chain}{_BETWEEN}{key}"


def roots_name(authorities: str, revoked: str = "") -> str:
    """The system's roots where no file is named; a list of revoked certificates is read together with the roots."""
    if not authorities and not revoked:
        return SYSTEM
    return f"{_ROOT}{authorities or SYSTEM_ROOTS}{_BETWEEN + revoked if revoked else ''}"


@dataclass(frozen=True)
class Identity:
    """Certificate, key and roots that a proxy's metadata names in place of its mesh identity (row DR-52)."""

    chain: str
    key: str
    authorities: str

    @property
    def certificate_name(self) -> str:
        return certificate_name(self.chain, self.key)

    @property
    def roots_name(self) -> str:
        return roots_name(self.authorities)


def identity(flags: Mapping[str, str]) -> Identity | None:
    """From ``ISTIO_META_TLS_CLIENT_*``; None unless all three are named."""
    named = [flags.get(f"TLS_CLIENT_{part}", "") for part in ("CERT_CHAIN", "KEY", "ROOT_CERT")]
    return Identity(*named) if all(named) else None


def files(scope: Scope) -> Iterator[Resource]:
    """Every secret of files that the clusters of this client may ask for."""
    found: dict[str, secret_pb2.Secret] = {}
    for rule in scope.destination_rules.values():
        for tls in client_tls(rule.body):
            if tls.mode in ("SIMPLE", "MUTUAL") and not tls.credential_name:
                for made in _of(tls):
                    found[made.name] = made
    own = identity(scope.flags)
    if own is not None:
        for made in (certificate(own.chain, own.key), roots(own.authorities)):
            found[made.name] = made
    for name in sorted(found):
        yield resource(SECRET, name, found[name])


def client_tls(rule: DestinationRule) -> Iterator[ClientTLSSettings]:
    """The TLS blocks of a rule, wherever they stand in it."""
    for policy in (rule.traffic_policy, *(s.traffic_policy for s in rule.subsets)):
        for block in _blocks(policy):
            if block is not None:
                yield block


def _blocks(policy: TrafficPolicy | None) -> tuple[ClientTLSSettings | None, ...]:
    return (policy.tls, *(entry.tls for entry in policy.port_level_settings)) if policy is not None else ()


def _of(tls: ClientTLSSettings) -> Iterator[secret_pb2.Secret]:
    if tls.mode == "MUTUAL":
        yield certificate(tls.client_certificate, tls.private_key)
    if not tls.insecure_skip_verify:
        yield roots(tls.ca_certificates, tls.ca_crl)


def certificate(chain: str, key: str) -> secret_pb2.Secret:
    message = secret_pb2.Secret(name=certificate_name(chain, key))
    message.tls_certificate.certificate_chain.filename = chain
    message.tls_certificate.private_key.filename = key
    return message


def roots(authorities: str, revoked: str = "") -> secret_pb2.Secret:
    message = secret_pb2.Secret(name=roots_name(authorities, revoked))
    message.validation_context.trusted_ca.filename = authorities or SYSTEM_ROOTS
    if revoked:
        message.validation_context.crl.filename = revoked
    return message
