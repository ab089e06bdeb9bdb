"""How a sidecar tells a mesh peer who it is: the filter ``istio.metadata_exchange`` on upstream Envoy.

Istio's own filter puts one protobuf into ``x-envoy-peer-metadata``, which upstream Envoy cannot read. Ours sends one
header per label, filled from the client's environment (so resources stay free of facts about one proxy). The server's
filter keeps them in filter state, where metrics find them; its route takes them off before the app sees them, whoever
sent them. Only a chain that ends mTLS believes them.
"""

from __future__ import annotations

from collections.abc import Iterable

from cel.expr import syntax_pb2
from envoy.config.core.v3 import base_pb2, extension_pb2
from envoy.extensions.common.matching.v3 import extension_matcher_pb2 as matching_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.extensions.filters.common.set_filter_state.v3 import value_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2
from google.protobuf.message import Message
from xds.type.matcher.v3 import cel_pb2, http_inputs_pb2, matcher_pb2
from xds.type.v3 import cel_pb2 as cel_expression_pb2

from mizzen.translate import filters as f
from mizzen.translate.filters import Direction
from mizzen.translate.messages import any_of

PREFIX = "x-envoy-peer-metadata-"

FIELDS = {
    "workload": "MIZZEN_WORKLOAD_NAME",
    "namespace": "MIZZEN_NAMESPACE",
    "canonical-name": "MIZZEN_CANONICAL_NAME",
    "canonical-revision": "MIZZEN_CANONICAL_REVISION",
    "app": "MIZZEN_APP",
    "version": "MIZZEN_VERSION_LABEL",
    "cluster": "MIZZEN_CLUSTER_ID",
}
"""Header suffix to the variable of the agent that holds its value."""

TOLD = {**FIELDS, "app": "MIZZEN_PEER_APP", "version": "MIZZEN_PEER_VERSION"}
"""The same for what a peer is told: Kubernetes' own labels go before the short ones there (row ME-12)."""

STATE = {name: f"mizzen.peer.{name}" for name in FIELDS}
"""Header suffix to the key of the filter state that holds what the peer said."""

HEADERS = [*(PREFIX + name for name in FIELDS), "x-envoy-peer-metadata", "x-envoy-peer-metadata-id"]
"""Everything an inbound route takes off a request, Istio's own names included."""

_FACTORY = "envoy.string"
_DEFAULTS = {"canonical-revision": "latest"}


def http_filter(direction: Direction, *, peer_verified: bool) -> f.HttpFilter:
    """The first HTTP filter of every chain."""
    if direction is Direction.INBOUND:
        return f.http(f.METADATA_EXCHANGE, set_filter_state_pb2.Config(on_request_headers=_kept(peer_verified)))
    return f.http(f.METADATA_EXCHANGE, _within_the_mesh(_introduction()))


def _kept(peer_verified: bool) -> Iterable[value_pb2.FilterStateValue]:
    """The default of every label first; what a verified peer says overwrites it."""
    for name, key in STATE.items():
        yield _value(key, _DEFAULTS.get(name, "unknown"))
        if peer_verified:
            yield _value(key, f"%REQ({PREFIX}{name})%")


def _value(key: str, text: str) -> value_pb2.FilterStateValue:
    value = value_pb2.FilterStateValue(object_key=key, factory_key=_FACTORY, skip_if_empty=True)
    value.format_string.omit_empty_values = True
    value.format_string.text_format_source.inline_string = text
    return value


def _select(operand: syntax_pb2.Expr, *fields: str, test: bool = False) -> syntax_pb2.Expr:
    """``operand.a.b``, or with ``test`` the macro ``has(operand.a.b)``."""
    for number, field in enumerate(fields, 1):
        selected = syntax_pb2.Expr.Select(operand=operand, field=field, test_only=test and number == len(fields))
        operand = syntax_pb2.Expr(select_expr=selected)
    return operand


def _call(function: str, *args: syntax_pb2.Expr) -> syntax_pb2.Expr:
    return syntax_pb2.Expr(call_expr=syntax_pb2.Expr.Call(function=function, args=args))


def _internal() -> syntax_pb2.ParsedExpr:
    """The cluster is of a service of the mesh: ``has(facts.services) && !has(facts.external)``, where facts are the
    cluster's metadata ``istio``. PassthroughCluster has no services, a MESH_EXTERNAL one is external, no cluster is an
    error and so no match. The matcher of Envoy 1.40 takes no CEL text, hence the syntax tree."""
    xds = syntax_pb2.Expr(ident_expr=syntax_pb2.Expr.Ident(name="xds"))
    facts = ("cluster_metadata", "filter_metadata", "istio")
    known = _select(xds, *facts, "services", test=True)
    external = _select(xds, *facts, "external", test=True)
    return syntax_pb2.ParsedExpr(expr=_call("_&&_", known, _call("!_", external)))


def _within_the_mesh(introduction: Message) -> matching_pb2.ExtensionWithMatcher:
    """Strangers are told nothing: the filter is skipped unless the request goes to a service of the mesh."""
    expression = cel_pb2.CelMatcher(expr_match=cel_expression_pb2.CelExpression(cel_expr_parsed=_internal()))
    matcher = matcher_pb2.Matcher()
    rule = matcher.matcher_list.matchers.add()
    asked = rule.predicate.not_matcher.single_predicate
    asked.input.name = "request"
    asked.input.typed_config.CopyFrom(any_of(http_inputs_pb2.HttpAttributesCelMatchInput()))
    asked.custom_match.name = "cel"
    asked.custom_match.typed_config.CopyFrom(any_of(expression))
    rule.on_match.action.name = "skip"
    rule.on_match.action.typed_config.CopyFrom(any_of(skip_action_pb2.SkipFilter()))
    inner = extension_pb2.TypedExtensionConfig(
        name="envoy.filters.http.header_mutation", typed_config=any_of(introduction)
    )
    return matching_pb2.ExtensionWithMatcher(xds_matcher=matcher, extension_config=inner)


def _introduction() -> header_mutation_pb2.HeaderMutation:
    config = header_mutation_pb2.HeaderMutation()
    for name, variable in TOLD.items():
        option = config.mutations.request_mutations.add().append
        option.header.key = PREFIX + name
        option.header.value = f"%ENVIRONMENT({variable})%"
        option.append_action = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    return config
