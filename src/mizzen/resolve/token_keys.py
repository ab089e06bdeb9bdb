"""The keys of each RequestAuthentication, as far as they were fetched (rows RA-05, RA-11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mizzen.api.meta import Object
from mizzen.model.closed import NO_KEYS
from mizzen.model.finding import Finding, Level
from mizzen.model.jwks import FetchedKeys, KeySource, source_of
from mizzen.resolve import problems

STALE_KEYS = "MZ0406"
"""Token keys that could not be fetched again."""

_STALE, _NONE = (STALE_KEYS, "the last keys stay in use"), (NO_KEYS, "tokens of this issuer are refused")


def sources(authentications: Iterable[Object]) -> tuple[KeySource, ...]:
    """What has to be fetched, each once, in a stable order."""
    found = {source_of(rule) for obj in authentications for rule in obj.body.jwt_rules}
    return tuple(sorted(source for source in found if source is not None))


def keys_of(authentications: Iterable[Object], fetched: Mapping[KeySource, FetchedKeys]) -> dict[KeySource, str]:
    """The key sets that ``authentications`` need. One that is missing is not in it: its issuer's tokens are refused."""
    return {
        source: fetched[source].text
        for source in sources(authentications)
        if source in fetched and fetched[source].text
    }


def key_findings(authentications: Iterable[Object], fetched: Mapping[KeySource, FetchedKeys]) -> tuple[Finding, ...]:
    """A warning per rule whose keys could not be fetched."""
    found = []
    for obj in authentications:
        for index, rule in enumerate(obj.body.jwt_rules):
            source = source_of(rule)
            state = fetched.get(source) if source is not None else None
            if state is None or not state.error:
                continue
            code, effect = _STALE if state.text else _NONE
            text = f"the keys could not be fetched: {state.error}; {effect}"
            found.append(problems.about(obj, code, Level.WARNING, text, f"spec.jwtRules[{index}].jwksUri"))
    return tuple(found)
