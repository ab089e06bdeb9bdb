"""AuthorizationPolicy as Envoy's RBAC filters, in the order CUSTOM, AUDIT, DENY, ALLOW (row AP-01).

There is at most one filter per action. Between CUSTOM and AUDIT the tokens are looked at (row RA-17).

A policy that cannot be built denies: a bad rule of ALLOW allows nothing, a bad rule of DENY matches everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from envoy.config.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_pb2
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as network_pb2

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.authorizer import Authorizer
from mizzen.model.view import Policies
from mizzen.translate import ext_authz, tls
from mizzen.translate import filters as f
from mizzen.translate.rbac_match import Permission, Principal
from mizzen.translate.rbac_rule import Context, HttpOnly, policy

Rbac: TypeAlias = rbac_pb2.RBAC
_Built: TypeAlias = dict[str, rbac_pb2.Policy]

_HTTP, _NETWORK = "envoy.filters.http.rbac", "envoy.filters.network.rbac"
_DRY_RUN = "istio.io/dry-run"
_BAD_CUSTOM = "-deny-due-to-bad-CUSTOM-action"


def http_filters(policies: Policies, mesh: MeshConfig) -> list[f.HttpFilter]:
    """The RBAC filters of an HTTP connection manager; a denial is 403 ``RBAC: access denied`` (row AP-08)."""
    return [
        f.http(_HTTP, http_pb2.RBAC(rules=rules, shadow_rules=shadow, shadow_rules_stat_prefix=prefix))
        for rules, shadow, prefix in _per_action(policies, mesh, http=True)
    ]


def custom_http_filters(policies: Policies, mesh: MeshConfig) -> list[f.HttpFilter]:
    """What stands before the token filter: the CUSTOM policies, each asking its provider, or denying without one."""
    found = []
    for provider, rules in _per_provider(policies, mesh, http=True):
        if provider is None:
            found.append(f.http(_HTTP, http_pb2.RBAC(rules=rules)))
        else:
            shadow = http_pb2.RBAC(shadow_rules=rules, shadow_rules_stat_prefix=ext_authz.SHADOW_PREFIX)
            found += [f.http(_HTTP, shadow), ext_authz.http_filter(provider)]
    return found


def network_filters(policies: Policies, mesh: MeshConfig) -> list[f.NetworkFilter]:
    """The RBAC filters of a TCP chain, asked at the client's first bytes; a denial closes (row AP-09)."""
    return [
        f.network(
            _NETWORK,
            network_pb2.RBAC(rules=rules, shadow_rules=shadow, shadow_rules_stat_prefix=prefix, stat_prefix="tcp."),
        )
        for rules, shadow, prefix in _per_action(policies, mesh, http=False)
    ]


def custom_network_filters(policies: Policies, mesh: MeshConfig) -> list[f.NetworkFilter]:
    """The CUSTOM policies of a TCP chain. A provider that speaks HTTP is not asked about bytes (row AP-06)."""
    found = []
    for provider, rules in _per_provider(policies, mesh, http=False):
        config = network_pb2.RBAC(stat_prefix="tcp.")
        if provider is None:
            config.rules.CopyFrom(rules)
            found.append(f.network(_NETWORK, config))
        elif provider.http is None:
            config.shadow_rules.CopyFrom(rules)
            config.shadow_rules_stat_prefix = ext_authz.SHADOW_PREFIX
            found += [f.network(_NETWORK, config), ext_authz.network_filter(provider)]
    return found


def _per_provider(policies: Policies, mesh: MeshConfig, http: bool) -> Iterator[tuple[Authorizer | None, Rbac]]:
    """By provider name: whom to ask, None where the rules deny instead.

    Of several nobody is asked, unless the control plane was told that several may be (row AP-06).
    """
    named: dict[str, list[Object]] = {}
    for obj in policies.custom:
        named.setdefault(obj.body.provider.name if obj.body.provider else "", []).append(obj)
    domains = tuple(tls.trust_domains(mesh))
    for name, objects in sorted(named.items()):
        provider = policies.authorizers.get(name) if len(named) == 1 or policies.several_authorizers else None
        built = _built(objects, domains, http, Rbac.DENY, "" if provider else _BAD_CUSTOM)
        prefix = ext_authz.rule_prefix(name)
        yield provider, Rbac(action=Rbac.DENY, policies={prefix + rule: policy for rule, policy in built.items()})


def _per_action(policies: Policies, mesh: MeshConfig, http: bool) -> Iterator[tuple[Rbac | None, Rbac | None, str]]:
    """Enforced rules, dry-run rules and the prefix of the latter's statistics (row AP-23), for each action in force."""
    domains = tuple(tls.trust_domains(mesh))
    for action, objects in ((Rbac.LOG, policies.audit), (Rbac.DENY, policies.deny), (Rbac.ALLOW, policies.allow)):
        if not objects:
            continue
        dry = [obj for obj in objects if _is_dry(obj)]
        enforced = [obj for obj in objects if not _is_dry(obj)]
        rules = Rbac(action=action, policies=_built(enforced, domains, http, action)) if enforced else None
        shadow = Rbac(action=action, policies=_built(dry, domains, http, action)) if dry else None
        yield rules, shadow, "istio_dry_run_deny_" if dry and action == Rbac.DENY else "istio_dry_run_allow_"


def _is_dry(obj: Object) -> bool:
    """Anything but a clear yes is enforced."""
    return obj.meta.annotations.get(_DRY_RUN, "").lower() in ("true", "1", "t")


def _built(objects: Sequence[Object], domains: tuple[str, ...], http: bool, action: int, suffix: str = "") -> _Built:
    """Each rule as the policy ``ns[…]-policy[…]-rule[i]`` (row AP-21)."""
    found: _Built = {}
    for obj in objects:
        name = f"ns[{obj.namespace}]-policy[{obj.name}]"
        context = Context(obj.namespace, domains, http=http, strict=action == Rbac.ALLOW)
        if not obj.body.rules:
            found[f"{name}-rule[0]{suffix}"] = _NEVER
        for index, rule in enumerate(obj.body.rules):
            try:
                found[f"{name}-rule[{index}]{suffix}"] = policy(rule, context)
            except HttpOnly:
                continue
            except ValueError:
                if action == Rbac.DENY:
                    found[f"{name}-rule[{index}]{suffix}"] = _ALWAYS
    return found


_NEVER = rbac_pb2.Policy(
    permissions=[Permission(not_rule=Permission(any=True))], principals=[Principal(not_id=Principal(any=True))]
)
"""What a policy without rules is: ALLOW that allows nothing (row AP-02)."""
_ALWAYS = rbac_pb2.Policy(permissions=[Permission(any=True)], principals=[Principal(any=True)])
