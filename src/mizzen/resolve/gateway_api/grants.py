"""ReferenceGrants: which references may cross namespaces (row GA-14)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mizzen.api.gateway_api import GROUP, ReferenceGrant
from mizzen.api.meta import Object

_FROM = frozenset({"Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "ListenerSet"})
_TO = frozenset({("", "ConfigMap"), ("", "Secret"), ("", "Service")})


@dataclass(frozen=True)
class Grants:
    """``allowed``: (kind that refers, its namespace, group, kind, namespace and name of what is referred to); an empty
    name is every object of the kind."""

    allowed: frozenset[tuple[str, str, str, str, str, str]]

    def permits(self, kind: str, from_namespace: str, target: tuple[str, str], namespace: str, name: str) -> bool:
        """Whether an object of ``kind`` (of the Gateway API) may name ``target`` = (group, kind) there."""
        if from_namespace == namespace:
            return True
        return any((kind, from_namespace, *target, namespace, wanted) in self.allowed for wanted in (name, ""))


def grants(objects: Iterable[Object]) -> Grants:
    """All grants of the mesh. Kinds that nothing of ours refers from or to are left out."""
    allowed = set()
    for obj in objects:
        body: ReferenceGrant = obj.body
        allowed |= {
            (source.kind, source.namespace, target.group, target.kind, obj.namespace, target.name)
            for source in body.from_
            if source.group == GROUP and source.kind in _FROM
            for target in body.to
            if (target.group, target.kind) in _TO
        }
    return Grants(frozenset(allowed))
