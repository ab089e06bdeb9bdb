"""Which AuthorizationPolicies and RequestAuthentications are in force on one workload (rows AP-07, CM-05 to CM-07)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mizzen.api.meta import Object
from mizzen.model.authorizer import Authorizer
from mizzen.model.features import Features
from mizzen.model.generated import GATEWAY_NAME
from mizzen.model.jwks import FetchedKeys, KeySource
from mizzen.model.service import Service
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import Policies
from mizzen.resolve.remote_keys import remote_keys_of
from mizzen.resolve.token_keys import keys_of

_NONE: Mapping[Any, Any] = {}
_DEFAULTS = Features()


def policies_of(snapshot: Snapshot, namespace: str, labels: dict[str, str]) -> Policies:
    """The policies of ``snapshot`` on a workload, with the authorizers and token keys that they need."""
    return policies(
        snapshot.authorization_policies,
        snapshot.request_authentications,
        namespace,
        labels,
        snapshot.mesh.root_namespace,
        snapshot.authorizers,
        snapshot.config.jwks,
        snapshot.config.features,
        snapshot.by_hostname,
    )


def policies(
    authorization: Iterable[Object],
    authentication: Iterable[Object],
    namespace: str,
    labels: dict[str, str],
    root_namespace: str,
    authorizers: Mapping[str, Authorizer] = _NONE,
    jwks: Mapping[KeySource, FetchedKeys] = _NONE,
    features: Features = _DEFAULTS,
    hosts: Mapping[str, tuple[Service, ...]] = _NONE,
) -> Policies:
    """The policies on a workload of ``namespace`` with ``labels``: of the root namespace first, each oldest first."""
    found = in_force(authorization, namespace, labels, root_namespace, features)
    custom = _with_action(found, "CUSTOM")
    named = {obj.body.provider.name for obj in custom if obj.body.provider}
    tokens = in_force(authentication, namespace, labels, root_namespace, features)
    return Policies(
        custom=custom,
        audit=_with_action(found, "AUDIT"),
        deny=_with_action(found, "DENY"),
        allow=_with_action(found, "ALLOW"),
        request_authentications=tokens,
        authorizers={name: authorizers[name] for name in sorted(named) if name in authorizers},
        several_authorizers=features.several_authorizers,
        keys=keys_of(tokens, jwks),
        remote_keys=remote_keys_of(tokens, features.remote_keys, hosts),
    )


def _with_action(objects: Iterable[Object], action: str) -> tuple[Object, ...]:
    return tuple(obj for obj in objects if (obj.body.action or "ALLOW") == action)


def in_force(
    objects: Iterable[Object],
    namespace: str,
    labels: dict[str, str],
    root_namespace: str,
    features: Features,
) -> tuple[Object, ...]:
    """Those of ``objects`` (policies, authentications, extensions) that select the workload or its Gateway."""
    near = [obj for obj in objects if obj.namespace in (namespace, root_namespace)]
    found = [obj for obj in near if selects(obj, namespace, labels, features)]
    return tuple(sorted(found, key=lambda o: o.namespace != root_namespace))


def selects(obj: Object, namespace: str, labels: dict[str, str], features: Features) -> bool:
    """A policy with references holds on the pods of the Gateways that it names, in its own namespace (row CM-07)."""
    body, gateway = obj.body, labels.get(GATEWAY_NAME)
    refs = (*body.target_refs, *((one,) if (one := getattr(body, "target_ref", None)) is not None else ()))
    if refs:
        return obj.namespace == namespace and any(ref.kind == "Gateway" and ref.name == gateway for ref in refs)
    if gateway is not None and not features.gateway_selectors:
        return False
    return body.selector is None or bool(body.selector.matches(labels))
