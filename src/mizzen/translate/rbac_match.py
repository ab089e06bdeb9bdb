"""Matchers of one attribute of an AuthorizationPolicy rule: a value as written becomes an Envoy principal or permission.

Rows AP-10 to AP-14, AP-17 to AP-19, AP-22. A value that cannot be a matcher raises ValueError; the caller fails closed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import TypeAlias

from envoy.config.core.v3 import address_pb2, extension_pb2
from envoy.config.rbac.v3 import rbac_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.path.match.uri_template.v3 import uri_template_match_pb2
from envoy.type.matcher.v3 import metadata_pb2, string_pb2, value_pb2

from mizzen.translate.messages import any_of

Permission: TypeAlias = rbac_pb2.Permission
Principal: TypeAlias = rbac_pb2.Principal
String: TypeAlias = string_pb2.StringMatcher

_JWT = "envoy.filters.http.jwt_authn"


def text(value: str, *, ignore_case: bool = False) -> String:
    """``v`` exact, ``v*`` prefix, ``*v`` suffix, ``*`` anything but nothing."""
    if value == "*":
        return regex(".+")
    if value.startswith("*"):
        return String(suffix=value[1:], ignore_case=ignore_case)
    if value.endswith("*"):
        return String(prefix=value[:-1], ignore_case=ignore_case)
    return String(exact=value, ignore_case=ignore_case)


_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def quote(value: str) -> str:
    """``value`` as a regex that matches it alone. Python's own quoting also escapes what RE2 and Istio leave alone."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], value)


def regex(pattern: str) -> String:
    matcher = String()
    matcher.safe_regex.regex = pattern
    return matcher


def header(name: str, value: str, *, ignore_case: bool = False) -> route_components_pb2.HeaderMatcher:
    if value == "*":
        return route_components_pb2.HeaderMatcher(name=name, present_match=True)
    return route_components_pb2.HeaderMatcher(name=name, string_match=text(value, ignore_case=ignore_case))


def cidr(value: str) -> address_pb2.CidrRange:
    """A CIDR block, or one address as /32 or /128. Raises ValueError."""
    network = ipaddress.ip_network(value, strict=False)
    result = address_pb2.CidrRange(address_prefix=value.split("/")[0])
    result.prefix_len.value = network.prefixlen
    return result


def port(value: str) -> int:
    number = int(value)
    if not 0 < number < 65536:
        raise ValueError(f"{value} is no port")
    return number


# Principals


def authenticated(matcher: String) -> Principal:
    return Principal(authenticated=Principal.Authenticated(principal_name=matcher))


def principal(value: str) -> Principal:
    """Row AP-10: an identity without ``spiffe://``."""
    if value == "*":
        return authenticated(regex(".+"))
    if value.startswith("*"):
        return authenticated(regex("spiffe://.*" + quote(value[1:])))
    if value.endswith("*"):
        return authenticated(String(prefix=f"spiffe://{value[:-1]}"))
    return authenticated(String(exact=f"spiffe://{value}"))


def namespace(value: str) -> Principal:
    """Row AP-11: each ``*`` of the value stands for anything."""
    return authenticated(regex(f".*/ns/{_wild(value)}/.*"))


def service_account(value: str, policy_namespace: str) -> Principal:
    """Row AP-12: ``name`` in the policy's own namespace, or ``ns/name``; any trust domain."""
    where, slash, name = value.partition("/")
    if not slash:
        where, name = policy_namespace, value
    if not where or not name or "/" in name:
        raise ValueError(f"{value!r} is no service account")
    return authenticated(regex(f"spiffe://.+/ns/{quote(where)}/(.+/|)sa/{quote(name)}(/.+)?"))


def trust_domain(value: str) -> Principal:
    """Row AP-15."""
    if not value or "/" in value:
        raise ValueError(f"{value!r} is no trust domain")
    if value == "*":
        return authenticated(String(prefix="spiffe://"))
    if "*" in value:
        return authenticated(regex("spiffe://" + quote(value).replace(r"\*", "[^/]*") + "/.*"))
    return authenticated(String(prefix=f"spiffe://{value}/"))


def request_principal(value: str) -> Principal:
    """Row AP-14: ``iss/sub`` of a verified token, cut at the last slash; both parts must match."""
    issuer, slash, subject = value.rpartition("/")
    anything = regex(".+")
    if value == "*":
        parts = [("iss", anything), ("sub", anything)]
    elif slash:
        parts = [("iss", _part(issuer)), ("sub", _part(subject))]
    elif value.startswith("*"):
        parts = [("iss", anything), ("sub", String(suffix=value[1:]))]
    elif value.endswith("*"):
        parts = [("iss", String(prefix=value[:-1])), ("sub", anything)]
    else:
        return Principal(not_id=Principal(any=True))
    ids = [Principal(metadata=_claim((name,), value_pb2.ValueMatcher(string_match=matcher))) for name, matcher in parts]
    return Principal(and_ids=Principal.Set(ids=ids))


def _part(value: str) -> String:
    return text(value) if value else String(exact="")


def claim(path: Sequence[str], value: str) -> Principal:
    """Row AP-19: a text claim, or a list that contains the text."""
    matcher = value_pb2.ValueMatcher()
    listed = matcher.or_match.value_matchers.add()
    listed.list_match.one_of.string_match.CopyFrom(text(value))
    matcher.or_match.value_matchers.add().string_match.CopyFrom(text(value))
    return Principal(metadata=_claim(path, matcher))


def _claim(path: Sequence[str], matcher: value_pb2.ValueMatcher) -> metadata_pb2.MetadataMatcher:
    return metadata(_JWT, ["payload", *path], matcher)


def metadata(filter_name: str, path: Sequence[str], matcher: value_pb2.ValueMatcher) -> metadata_pb2.MetadataMatcher:
    segments = [metadata_pb2.MetadataMatcher.PathSegment(key=key) for key in path]
    return metadata_pb2.MetadataMatcher(filter=filter_name, path=segments, value=matcher)


def expand_trust_domain(value: str, domains: Sequence[str]) -> list[str]:
    """Row AP-22: a principal of the mesh is one of every trust domain of the mesh; what is not, stays as written."""
    parts = value.split("/")
    if len(parts) != 5 or parts[0] == "*":
        return [value]
    own, rest = parts[0], "/".join(parts[1:])
    covered = [domain for domain in domains if _covers(own, domain)]
    if not covered and own != "cluster.local":
        return [value]
    every = [own if domain in covered and "*" in own else domain for domain in domains]
    return [f"{domain}/{rest}" for domain in dict.fromkeys(every)]


def _covers(pattern: str, domain: str) -> bool:
    if pattern.startswith("*"):
        return domain.endswith(pattern[1:])
    return domain.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == domain


def _wild(value: str) -> str:
    return quote(value).replace(r"\*", ".*")


# Permissions


_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()+,;=:@-]|%[0-9A-Fa-f]{2})*")


def path(value: str) -> Permission:
    """Rows AP-17, AP-18: exact, prefix, suffix, any, or a template with ``{*}`` and ``{**}``."""
    if "{*}" in value or "{**}" in value:
        _check_template(value)
        template = value.replace("{**}", "**").replace("{*}", "*")
        config = uri_template_match_pb2.UriTemplateMatchConfig(path_template=template)
        typed = extension_pb2.TypedExtensionConfig(name="uri-template", typed_config=any_of(config))
        return Permission(uri_template=typed)
    permission = Permission()
    permission.url_path.path.CopyFrom(text(value))
    return permission


def _check_template(value: str) -> None:
    """Envoy would refuse the whole listener for a bad template."""
    first, *segments = value.split("/")
    operators = [segment for segment in segments if segment in ("{*}", "{**}")]
    literals = [segment for segment in segments if segment not in ("{*}", "{**}")]
    if first or not all(_SEGMENT.fullmatch(segment) for segment in literals) or "{**}" in operators[:-1]:
        raise ValueError(f"{value!r} is no path template")


def host(value: str) -> Permission:
    return Permission(header=header(":authority", value, ignore_case=True))


def method(value: str) -> Permission:
    return Permission(header=header(":method", value))


def destination_port(value: str) -> Permission:
    return Permission(destination_port=port(value))


def filter_metadata(filter_name: str, key: str, value: str) -> Permission:
    """``experimental.envoy.filters.…[key]``: ``[v]`` means a list that contains v."""
    matcher = value_pb2.ValueMatcher()
    if value.startswith("[") and value.endswith("]"):
        matcher.list_match.one_of.string_match.CopyFrom(text(value[1:-1]))
    else:
        matcher.string_match.CopyFrom(text(value))
    return Permission(metadata=metadata(filter_name, [key], matcher))
