"""networking.istio.io Gateway. Source: istio/api networking/v1alpha3/gateway.proto, rows GW-*."""

from __future__ import annotations

from msgspec import Struct


class Port(Struct, frozen=True, kw_only=True, rename="camel"):
    """A port of a Gateway server, a ServiceEntry or a Sidecar listener; ``protocol`` in Istio's upper-case names."""

    number: int = 0
    protocol: str = ""
    name: str = ""
    target_port: int = 0


class TLSCertificate(Struct, frozen=True, kw_only=True, rename="camel"):
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""


class ServerTLSSettings(Struct, frozen=True, kw_only=True, rename="camel"):
    https_redirect: bool = False
    mode: str = "PASSTHROUGH"
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: str = ""
    credential_names: tuple[str, ...] = ()
    tls_certificates: tuple[TLSCertificate, ...] = ()
    ca_cert_credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    verify_certificate_spki: tuple[str, ...] = ()
    verify_certificate_hash: tuple[str, ...] = ()
    min_protocol_version: str = "TLS_AUTO"
    max_protocol_version: str = "TLS_AUTO"
    cipher_suites: tuple[str, ...] = ()
    ecdh_curves: tuple[str, ...] = ()
    insecure_skip_verify: bool | None = None


class Server(Struct, frozen=True, kw_only=True, rename="camel"):
    port: Port | None = None
    bind: str = ""
    hosts: tuple[str, ...] = ()
    tls: ServerTLSSettings | None = None
    default_endpoint: str = ""
    name: str = ""


class Gateway(Struct, frozen=True, kw_only=True):
    servers: tuple[Server, ...] = ()
    selector: dict[str, str] = {}
