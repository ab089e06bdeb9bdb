"""``corsPolicy`` (row VS-50)."""

from __future__ import annotations

from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.type.matcher.v3 import string_pb2
from envoy.type.v3 import percent_pb2

from mizzen.api.virtual_service import CorsPolicy
from mizzen.translate.http.text import string_match

FILTER = "envoy.filters.http.cors"


def cors(policy: CorsPolicy) -> cors_pb2.CorsPolicy:
    """The per-route config of the CORS filter, always on; ``allowOrigins`` hides the old ``allowOrigin``."""
    message = cors_pb2.CorsPolicy()
    message.filter_enabled.default_value.numerator = 100
    message.filter_enabled.default_value.denominator = percent_pb2.FractionalPercent.HUNDRED
    if policy.allow_origins:
        message.allow_origin_string_match.extend(string_match(origin) for origin in policy.allow_origins)
    else:
        message.allow_origin_string_match.extend(
            string_pb2.StringMatcher(exact=origin) for origin in policy.allow_origin
        )
    message.allow_methods = ",".join(policy.allow_methods)
    message.allow_headers = ",".join(policy.allow_headers)
    message.expose_headers = ",".join(policy.expose_headers)
    if policy.max_age is not None:
        message.max_age = str(int(policy.max_age.seconds))
    if policy.allow_credentials is not None:
        message.allow_credentials.value = policy.allow_credentials
    message.forward_not_matching_preflights.value = policy.unmatched_preflights != "IGNORE"
    return message
