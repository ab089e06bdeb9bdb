"""``proxy-config secrets`` (row IX-16). Private keys are never shown: Envoy's dump holds none."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig.source import proxy_of, proxy_options, show

Json = dict[str, Any]

HEADER = ("RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE")
NOTHING = "No active or warming secrets found."

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def rows(secrets: list[tuple[str, Json]], now: datetime) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """(header, one row per chain's first certificate and per root); TRUST DOMAIN is there when every row has one."""
    found: list[tuple[tuple[str, ...], str]] = []
    for state, entry in secrets:
        secret = entry.get("secret") or {}
        name = str(entry.get("name") or secret.get("name", ""))
        for kind, pem in _certificates(secret):
            found.append(_row(name, kind, state, pem, now))
    if found and all(domain for _, domain in found):
        return (*HEADER, "TRUST DOMAIN"), [(*cells, domain) for cells, domain in found]
    return HEADER, [cells for cells, _ in found]


def _certificates(secret: Json) -> list[tuple[str, bytes]]:
    chain = ((secret.get("tls_certificate") or {}).get("certificate_chain")) or {}
    context = secret.get("validation_context") or {}
    found = [("Cert Chain", pem) for pem in _pems(chain)[:1]]
    if secret.get("tls_certificate") is not None and not found:
        found = [("Cert Chain", b"")]
    roots = _pems(context.get("trusted_ca") or {})
    return found + [("CA", pem) for pem in roots or ([b""] if context else [])]


def _pems(source: Json) -> list[bytes]:
    text = base64.b64decode(source.get("inline_bytes") or b"") or str(source.get("inline_string", "")).encode()
    end = b"-----END CERTIFICATE-----"
    return [piece + end + b"\n" for piece in text.split(end)[:-1]]


def _row(name: str, kind: str, state: str, pem: bytes, now: datetime) -> tuple[tuple[str, ...], str]:
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return (name, kind, state, "false", "", "", ""), ""
    after, before = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    cells = (
        name,
        kind,
        state,
        "true" if before <= now <= after else "false",
        f"{certificate.serial_number:x}",
        after.strftime(_TIME),
        before.strftime(_TIME),
    )
    return cells, _trust_domain(certificate)


def _trust_domain(certificate: Any) -> str:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return next((str(uri).split("/")[2] for uri in uris if str(uri).startswith("spiffe://")), "")


@click.command("secrets")
@proxy_options
@output_option("json", "yaml", "short")
def command(proxy: str | None, namespace: str | None, paths: tuple[str, ...], output: str | None) -> None:
    """The proxy's certificates and roots."""
    from mizzen.cli.output import table

    dump = proxy_of(proxy, namespace, paths).dump()
    secrets = dump.secrets()

    def text() -> str:
        header, cells = rows(secrets, datetime.now(UTC))
        return table(header, cells, gap=5) if cells else NOTHING

    show(dump.part("SecretsConfigDump"), output, text)
