"""RequestAuthentication. Rows RA-01 to RA-14."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from mizzen.api.security import JWTRule, RequestAuthentication
from mizzen.check import rules
from mizzen.check.notes import Notes


def validate(spec: RequestAuthentication, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    rules.target_refs(notes, "spec", spec.target_ref, spec.target_refs, spec.selector)
    for index, rule in enumerate(spec.jwt_rules):
        _rule(rule, f"spec.jwtRules[{index}]", notes)


def _rule(rule: JWTRule, path: str, notes: Notes) -> None:
    notes.need(bool(rule.issuer or rule.jwks_uri), f"{path}.issuer", "an issuer is required, unless jwksUri is given")
    _keys(rule, path, notes)
    for name, values in (
        ("audiences", rule.audiences),
        ("fromParams", rule.from_params),
        ("fromCookies", rule.from_cookies),
        ("spaceDelimitedClaims", rule.space_delimited_claims),
    ):
        for index, value in enumerate(values):
            notes.need(bool(value), f"{path}.{name}[{index}]", "may not be empty")
    for index, header in enumerate(rule.from_headers):
        rules.header_name(notes, f"{path}.fromHeaders[{index}].name", header.name)
    for index, output in enumerate(rule.output_claim_to_headers):
        where = f"{path}.outputClaimToHeaders[{index}]"
        rules.header_name(notes, f"{where}.header", output.header)
        notes.need(bool(output.claim), f"{where}.claim", "a claim is required")
    if rule.output_payload_to_header:
        rules.header_name(notes, f"{path}.outputPayloadToHeader", rule.output_payload_to_header)
    rules.duration(notes, f"{path}.timeout", rule.timeout)


def _keys(rule: JWTRule, path: str, notes: Notes) -> None:
    """Row RA-05: at most one of jwksUri and jwks."""
    if rule.jwks_uri and rule.jwks:
        notes.error(f"{path}.jwks", "only one of jwks and jwksUri may be set")
    if rule.jwks_uri:
        try:
            parts = urlsplit(rule.jwks_uri)
            known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        notes.need(known, f"{path}.jwksUri", f"{rule.jwks_uri!r} is no http or https URL")
    if rule.jwks and not _key_set(rule.jwks):
        notes.warn(f"{path}.jwks", "no JSON Web Key Set: every token will be refused")


def _key_set(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    keys = value.get("keys") if isinstance(value, dict) else None
    return isinstance(keys, list) and all(isinstance(key, dict) and "d" not in key for key in keys)
