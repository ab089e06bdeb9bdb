"""security.istio.io PeerAuthentication, RequestAuthentication and AuthorizationPolicy. Rows PA-*, RA-*, AP-*."""

from __future__ import annotations

from msgspec import Struct, field

from mizzen.api.meta import Duration, LabelSelector, TargetRef


class MutualTLS(Struct, frozen=True, kw_only=True):
    """``mode``: UNSET, DISABLE, PERMISSIVE or STRICT."""

    mode: str = "UNSET"


class PeerAuthentication(Struct, frozen=True, kw_only=True, rename="camel"):
    selector: LabelSelector | None = None
    mtls: MutualTLS | None = None
    port_level_mtls: dict[str, MutualTLS] = {}


class JWTHeader(Struct, frozen=True, kw_only=True):
    name: str = ""
    prefix: str = ""


class ClaimToHeader(Struct, frozen=True, kw_only=True):
    header: str = ""
    claim: str = ""


class JWTRule(Struct, frozen=True, kw_only=True, rename="camel"):
    issuer: str = ""
    audiences: tuple[str, ...] = ()
    jwks_uri: str = ""
    jwks: str = ""
    from_headers: tuple[JWTHeader, ...] = ()
    from_params: tuple[str, ...] = ()
    from_cookies: tuple[str, ...] = ()
    output_payload_to_header: str = ""
    output_claim_to_headers: tuple[ClaimToHeader, ...] = ()
    forward_original_token: bool = False
    timeout: Duration | None = None
    space_delimited_claims: tuple[str, ...] = ()
    presence: str = ""


class RequestAuthentication(Struct, frozen=True, kw_only=True, rename="camel"):
    selector: LabelSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: tuple[TargetRef, ...] = ()
    jwt_rules: tuple[JWTRule, ...] = ()


class Source(Struct, frozen=True, kw_only=True, rename="camel"):
    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    request_principals: tuple[str, ...] = ()
    not_request_principals: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    not_service_accounts: tuple[str, ...] = ()
    ip_blocks: tuple[str, ...] = ()
    not_ip_blocks: tuple[str, ...] = ()
    remote_ip_blocks: tuple[str, ...] = ()
    not_remote_ip_blocks: tuple[str, ...] = ()
    trust_domains: tuple[str, ...] = ()
    not_trust_domains: tuple[str, ...] = ()


class Operation(Struct, frozen=True, kw_only=True, rename="camel"):
    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    not_ports: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()


class From(Struct, frozen=True, kw_only=True):
    source: Source | None = None


class To(Struct, frozen=True, kw_only=True):
    operation: Operation | None = None


class Condition(Struct, frozen=True, kw_only=True, rename="camel"):
    key: str = ""
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


class Rule(Struct, frozen=True, kw_only=True):
    from_: tuple[From, ...] = field(default=(), name="from")
    to: tuple[To, ...] = ()
    when: tuple[Condition, ...] = ()


class Provider(Struct, frozen=True, kw_only=True):
    name: str = ""


class AuthorizationPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    selector: LabelSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: tuple[TargetRef, ...] = ()
    rules: tuple[Rule, ...] = ()
    action: str = "ALLOW"
    provider: Provider | None = None
