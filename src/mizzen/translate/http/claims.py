"""Routing on the claims of a verified token, at gateways (row VS-19). Without a token no such route fits."""

from __future__ import annotations

import re

from envoy.type.matcher.v3 import metadata_pb2

from mizzen.api.match import StringMatch
from mizzen.translate.http.text import is_presence, string_match
from mizzen.translate.jwt import NAME, PAYLOAD

PREFIX = "@request.auth.claims"
_BRACKETS = re.compile(r"\[([^\]]*)\]")


def matcher(name: str, condition: StringMatch, *, invert: bool = False) -> metadata_pb2.MetadataMatcher:
    """``name`` is ``@request.auth.claims.a.b`` or ``@request.auth.claims[a][b]``; a claim is a text or a list of texts."""
    rest = name.removeprefix(PREFIX)
    keys = _BRACKETS.findall(rest) if rest.startswith("[") else rest.lstrip(".").split(".")
    found = metadata_pb2.MetadataMatcher(filter=NAME, invert=invert)
    for key in (PAYLOAD, *keys):
        found.path.add(key=key)
    if is_presence(condition):
        found.value.present_match = True
        return found
    text = string_match(condition)
    either = found.value.or_match.value_matchers
    either.add().list_match.one_of.string_match.CopyFrom(text)
    either.add().string_match.CopyFrom(text)
    return found
