"""A security policy that is refused but is in the mesh: something that denies what it selected takes its place.

``apply`` and the webhook keep such an object out. It gets in by an older version, or past both. Leaving it out would open
what it was to close (product decision 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mizzen.api.decode import decode
from mizzen.api.meta import Object, Origin

_DENIALS: dict[str, dict[str, Any]] = {
    "AuthorizationPolicy": {"action": "DENY", "rules": [{}]},
    "RequestAuthentication": {"jwtRules": [{"issuer": "refused", "jwks": "{}", "presence": "REQUIRED"}]},
    "PeerAuthentication": {"mtls": {"mode": "STRICT"}},
}
_TARGETS = ("selector", "targetRef", "targetRefs")


def stand_in(kind: str, raw: Mapping[str, Any], origin: Origin, namespace: str) -> Object | None:
    """A policy of ``kind`` with the name and the targets of ``raw`` that denies; None for other kinds.

    Targets that cannot be read count as none: then it is the whole namespace. ``namespace`` is for those that name none.
    """
    denial = _DENIALS.get(kind)
    if denial is None:
        return None
    spec = raw.get("spec")
    targets = {name: spec[name] for name in _TARGETS if name in spec} if isinstance(spec, Mapping) else {}
    head = {"apiVersion": "security.istio.io/v1", "kind": kind, "metadata": raw.get("metadata")}
    for chosen in (targets, {}):
        found = decode({**head, "spec": {**denial, **chosen}}, origin, namespace).object
        if found is not None:
            return found
    return None
