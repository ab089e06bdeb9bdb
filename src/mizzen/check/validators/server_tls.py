"""TLS settings of a Gateway server. Rows GW-10 to GW-24."""

from __future__ import annotations

from mizzen.api.ciphers import is_suite
from mizzen.api.gateway import ServerTLSSettings
from mizzen.check.notes import Notes

_ORDER = ("TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")
_VERIFYING = ("MUTUAL", "OPTIONAL_MUTUAL")


def certificates(tls: ServerTLSSettings) -> list[str]:
    """The names of the certificate sources that are given."""
    sources = {
        "credentialName": tls.credential_name,
        "credentialNames": tls.credential_names,
        "tlsCertificates": tls.tls_certificates,
        "serverCertificate": tls.server_certificate,
        "privateKey": tls.private_key,
        "caCertificates": tls.ca_certificates,
    }
    return [name for name, value in sources.items() if value]


def validate(tls: ServerTLSSettings, path: str, notes: Notes) -> None:
    _versions(tls, path, notes)
    if tls.mode == "ISTIO_MUTUAL":
        given = certificates(tls)
        notes.need(not given, path, f"ISTIO_MUTUAL uses the mesh's certificate; {', '.join(given)} must be left out")
        return
    if tls.mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH"):
        if certificates(tls) or tls.ca_crl or tls.ca_cert_credential_name:
            notes.warn(path, f"{tls.mode} mode does not use certificates")
        return
    _sources(tls, path, notes)
    _ciphers(tls, path, notes)


def _sources(tls: ServerTLSSettings, path: str, notes: Notes) -> None:
    by_name = bool(tls.credential_name or tls.credential_names)
    files = bool(tls.server_certificate or tls.private_key) and not tls.credential_name
    given = sum((bool(tls.credential_name), bool(tls.credential_names), bool(tls.tls_certificates), files))
    if given > 1:
        notes.error(
            path, "only one of credential_name, credential_names, tls_certificates and server_certificate may be set"
        )
        return
    limit = 2
    for name, values in (("credentialNames", tls.credential_names), ("tlsCertificates", tls.tls_certificates)):
        if len(values) > limit:
            notes.warn(f"{path}.{name}", f"{tls.mode} TLS can support up to {limit} server certificates")
    if tls.credential_name or tls.credential_names:
        notes.need(not tls.ca_crl, f"{path}.caCrl", "does not go with a credential name: the list lies in the secret")
    elif tls.tls_certificates:
        for index, pair in enumerate(tls.tls_certificates):
            _pair(pair.server_certificate, pair.private_key, tls.mode, f"{path}.tlsCertificates[{index}]", notes)
    else:
        _pair(tls.server_certificate, tls.private_key, tls.mode, path, notes)
    _client_ca(tls, path, notes, by_name)


def _pair(certificate: str, key: str, mode: str, path: str, notes: Notes) -> None:
    notes.need(bool(certificate), f"{path}.serverCertificate", f"{mode} TLS requires a server certificate")
    notes.need(bool(key), f"{path}.privateKey", f"{mode} TLS requires a private key")


def _client_ca(tls: ServerTLSSettings, path: str, notes: Notes, by_name: bool) -> None:
    if tls.mode in _VERIFYING:
        there = by_name or tls.ca_certificates or tls.ca_cert_credential_name
        notes.need(bool(there), f"{path}.caCertificates", f"{tls.mode} TLS requires a client CA bundle")
    elif tls.ca_crl:
        notes.error(f"{path}.caCrl", f"{tls.mode} TLS verifies no client, so there is nothing to revoke")


def _versions(tls: ServerTLSSettings, path: str, notes: Notes) -> None:
    low, high = tls.min_protocol_version, tls.max_protocol_version
    if low in _ORDER and high in _ORDER:
        notes.need(_ORDER.index(low) <= _ORDER.index(high), f"{path}.minProtocolVersion", f"{low} is above {high}")
    if low in ("TLSV1_0", "TLSV1_1") and not tls.cipher_suites:
        notes.warn(f"{path}.minProtocolVersion", f"{low} needs cipherSuites that it can use")


def _ciphers(tls: ServerTLSSettings, path: str, notes: Notes) -> None:
    """Row GW-23: unknown and repeated suites are warned about and left out."""
    seen: set[str] = set()
    for index, suite in enumerate(tls.cipher_suites):
        where = f"{path}.cipherSuites[{index}]"
        if not is_suite(suite):
            notes.warn(where, f"ignoring unknown cipher suite {suite!r}")
        if suite in seen:
            notes.warn(where, f"ignoring duplicate cipher suite {suite!r}")
        seen.add(suite)
