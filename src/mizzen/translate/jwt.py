"""RequestAuthentication as Envoy's jwt_authn filter (rows RA-01 to RA-16).

Envoy fetches no keys unless the control plane was told so (row RA-06). A key set that the control plane does not have,
or that is none, is replaced by a key whose private half nobody has: that issuer's tokens are refused and everything else
goes on (row RA-05).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2 as pb

from mizzen.api.meta import Duration
from mizzen.api.security import JWTRule
from mizzen.model.jwks import source_of
from mizzen.model.view import Policies
from mizzen.translate import filters as f
from mizzen.translate import names
from mizzen.translate.filters import Direction

NAME = "envoy.filters.http.jwt_authn"
PAYLOAD = "payload"
"""Where the claims are in the filter's dynamic metadata (row RA-16)."""

_TIMEOUT = Duration(5_000_000_000)
_CACHE_SECONDS = 300
_SPACE_DELIMITED = ("permission", "scope")
_MODULUS = (
    "ma8MeWtTebm4Dcyepb5_NoSnbOnfsc1AylEOFnM1B8qfD02akA-nwrw7WmmCrAbJ25pVxmgt15hakTgaCyjM0Zmz98XT0uU1FooGe7vKoGZpmOG07l6CpDA9"
    "rHAFXHxUfZQqQwAUpoTlv8INhAvHOJjaRA2wR25-cxo7ZY0owZI31uI5BfBPuSoHfxx2O-N8uLEZRtlF1nVd-4Ff64-XD6Sw4YaUPk0kZEgokv3zL4Ra-xPM"
    "cMAAHNNOjc3GnnLnch-PKGJVpe0S3rk9YXUTLzLh6Kh-OijcnoFVY2hvAvEyvwD01JKKoBh5rOYLb3wQNNb0_TCVTp_AGClo0TdWVQ"
)
UNKNOWN_KEYS = json.dumps({"keys": [{"kty": "RSA", "e": "AQAB", "kid": "none", "use": "sig", "n": _MODULUS}]})
"""The private half was thrown away when this key was made."""


def http_filters(policies: Policies, direction: Direction) -> Iterator[f.HttpFilter]:
    """The one jwt_authn filter of a connection manager, if any RequestAuthentication is in force on it."""
    rules = sorted(
        (rule for obj in policies.request_authentications for rule in obj.body.jwt_rules), key=lambda rule: rule.issuer
    )
    if not rules:
        return
    config = pb.JwtAuthentication(bypass_cors_preflight=True)
    for index, rule in enumerate(rules):
        config.providers[_name(index)].CopyFrom(_provider(rule, policies, direction))
    match = config.rules.add()
    match.match.prefix = "/"
    match.requires.CopyFrom(_requirement(rules))
    yield f.http(NAME, config)


def _name(index: int) -> str:
    return f"origins-{index}"


def _requirement(rules: list[JWTRule]) -> pb.JwtRequirement:
    """Row RA-13: a token that is good for one issuer passes; no token passes, unless the rule requires one (row RA-01)."""
    each = [_optional(index, rule) for index, rule in enumerate(rules)]
    if len(each) == 1:
        return each[0]
    requirement = pb.JwtRequirement()
    for index in range(len(rules)):
        requirement.requires_any.requirements.add(provider_name=_name(index))
    every = requirement.requires_any.requirements.add()
    every.requires_all.requirements.extend(each)
    return requirement


def _optional(index: int, rule: JWTRule) -> pb.JwtRequirement:
    if rule.presence == "REQUIRED":
        return pb.JwtRequirement(provider_name=_name(index))
    requirement = pb.JwtRequirement()
    requirement.requires_any.requirements.add(provider_name=_name(index))
    requirement.requires_any.requirements.add().allow_missing.SetInParent()
    return requirement


def _provider(rule: JWTRule, policies: Policies, direction: Direction) -> pb.JwtProvider:
    provider = pb.JwtProvider(
        issuer=rule.issuer,
        audiences=rule.audiences,
        forward=rule.forward_original_token,
        forward_payload_header=rule.output_payload_to_header,
        from_params=rule.from_params,
        from_cookies=rule.from_cookies,
        payload_in_metadata=PAYLOAD,
        clear_route_cache=direction is Direction.GATEWAY,
    )
    claims = {*rule.space_delimited_claims, *_SPACE_DELIMITED}
    provider.normalize_payload_in_metadata.space_delimited_claims.extend(sorted(claims))
    for header in rule.from_headers:
        provider.from_headers.add(name=header.name, value_prefix=header.prefix)
    for output in rule.output_claim_to_headers:
        provider.claim_to_headers.add(header_name=output.header, claim_name=output.claim)
    _put_keys(provider, rule, policies)
    return provider


def _put_keys(provider: pb.JwtProvider, rule: JWTRule, policies: Policies) -> None:
    source = source_of(rule)
    remote = policies.remote_keys.get(source) if source is not None else None
    if remote is not None:
        fetched = provider.remote_jwks
        fetched.http_uri.uri = remote.uri
        fetched.http_uri.cluster = names.cluster(remote.port, "", remote.hostname)
        fetched.http_uri.timeout.FromNanoseconds((rule.timeout or _TIMEOUT).nanos)
        fetched.cache_duration.FromSeconds(_CACHE_SECONDS)
        return
    text = rule.jwks if source is None else policies.keys.get(source, "")
    provider.local_jwks.inline_string = text if _is_key_set(text) else UNKNOWN_KEYS


def _is_key_set(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    keys = value.get("keys") if isinstance(value, dict) else None
    return isinstance(keys, list) and bool(keys)
