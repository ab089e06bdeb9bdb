"""Which AuthorizationPolicies and RequestAuthentications are in force on one workload (rows AP-07, CM-05 to CM-07)."""

from __future__ import annotations

from collections.abc import Iterable

from mizzen.api.meta import Object
from mizzen.model.view import Policies

_GATEWAY = "gateway.networking.k8s.io/gateway-name"


def policies(
    authorization: Iterable[Object],
    authentication: Iterable[Object],
    namespace: str,
    labels: dict[str, str],
    root_namespace: str,
) -> Policies:
    """The policies on a workload of ``namespace`` with ``labels``: of the root namespace first, each oldest first."""
    found = _in_force(authorization, namespace, labels, root_namespace)
    return Policies(
        custom=_with_action(found, "CUSTOM"),
        audit=_with_action(found, "AUDIT"),
        deny=_with_action(found, "DENY"),
        allow=_with_action(found, "ALLOW"),
        request_authentications=_in_force(authentication, namespace, labels, root_namespace),
    )


def _with_action(objects: Iterable[Object], action: str) -> tuple[Object, ...]:
    return tuple(obj for obj in objects if (obj.body.action or "ALLOW") == action)


def _in_force(
    objects: Iterable[Object], namespace: str, labels: dict[str, str], root_namespace: str
) -> tuple[Object, ...]:
    found = [
        obj for obj in objects if obj.namespace in (namespace, root_namespace) and _selects(obj, namespace, labels)
    ]
    return tuple(sorted(found, key=lambda o: o.namespace != root_namespace))


def _selects(obj: Object, namespace: str, labels: dict[str, str]) -> bool:
    body = obj.body
    refs = body.target_refs or ((body.target_ref,) if body.target_ref else ())
    if refs:
        gateway = labels.get(_GATEWAY)
        return obj.namespace == namespace and any(ref.kind == "Gateway" and ref.name == gateway for ref in refs)
    return body.selector is None or bool(body.selector.matches(labels))
