"""EnvoyFilter. Rows EF-*."""

from __future__ import annotations

from typing import Any

from mizzen.api.envoy_filter import EnvoyConfigObjectPatch, EnvoyFilter
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.proto.constraints import broken
from mizzen.proto.envoy_json import PATCHED, decode, message_type, unknown

_MATCH_OF = {
    "listener": ("LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", "LISTENER_FILTER"),
    "route_configuration": ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"),
    "cluster": ("CLUSTER",),
}

_PARTS = frozenset({"MERGE", "MERGE_AND_REPLACE_LIST", "REMOVE"})
"""Operations whose value need not be complete."""
_FILTERS = frozenset({"HTTP_FILTER", "NETWORK_FILTER", "LISTENER_FILTER"})


def validate(spec: EnvoyFilter, notes: Notes) -> None:
    rules.selector(notes, "spec.workloadSelector", spec.workload_selector)
    rules.target_refs(notes, "spec", None, spec.target_refs, spec.workload_selector)
    for index, patch in enumerate(spec.config_patches):
        _patch(patch, f"spec.configPatches[{index}]", notes)


def _patch(patch: EnvoyConfigObjectPatch, path: str, notes: Notes) -> None:
    if not notes.need(patch.apply_to != "INVALID", f"{path}.applyTo", "applyTo is required"):
        return
    if patch.patch is None:
        notes.error(f"{path}.patch", "a patch is required")
        return
    operation = patch.patch.operation
    notes.need(operation != "INVALID", f"{path}.patch.operation", "an operation is required")
    notes.need(operation == "REMOVE" or patch.patch.value is not None, f"{path}.patch.value", "a value is required")
    if patch.patch.value is not None:
        _value(patch.apply_to, operation, patch.patch.value, f"{path}.patch.value", notes)
    if patch.patch.filter_class != "UNSPECIFIED":
        ok = patch.apply_to in ("HTTP_FILTER", "NETWORK_FILTER") and operation == "ADD"
        if notes.need(ok, f"{path}.patch.filterClass", "filterClass goes with ADD of a filter"):
            text = "filterClass has no effect: ADD appends; place the filter with INSERT_BEFORE, INSERT_AFTER or INSERT_FIRST"
            notes.warn(f"{path}.patch.filterClass", text, codes.NO_EFFECT)
    if patch.apply_to == "BOOTSTRAP":
        text = "a proxy's bootstrap is not patched; use the annotation sidecar.istio.io/bootstrapOverride"
        notes.warn(f"{path}.applyTo", text, codes.NO_EFFECT)
    _match(patch, path, notes)


def _value(apply_to: str, operation: str, value: Any, path: str, notes: Notes) -> None:
    """What does not decode, and what breaks a limit of Envoy's: a proxy would refuse the whole resource, and stay behind."""
    kind = message_type(PATCHED.get(apply_to, ""))
    if kind is None:
        return
    try:
        message = decode(kind, value)
    except ValueError as error:
        notes.error(path, f"no {apply_to} of Envoy: {error}")
        return
    whole = operation not in _PARTS
    for reason in broken(message, whole=whole):
        notes.error(path, f"Envoy would refuse it: {reason}")
    if whole and apply_to in _FILTERS and message.WhichOneof("config_type") is None:
        notes.error(path, "Envoy would refuse it: a filter needs typed_config, a name alone means nothing")
    if left_out := unknown(kind, value):
        notes.warn(path, f"has a field without effect, for Envoy does not know it: {left_out}")


def _match(patch: EnvoyConfigObjectPatch, path: str, notes: Notes) -> None:
    match = patch.match
    if match is None:
        return
    if match.proxy is not None:
        if match.proxy.proxy_version:
            rules.regex(notes, f"{path}.match.proxy.proxyVersion", match.proxy.proxy_version)
        for key in match.proxy.metadata:
            notes.need(bool(key), f"{path}.match.proxy.metadata", "a metadata key may not be empty")
    for kind, places in _MATCH_OF.items():
        if getattr(match, kind) is not None:
            fits = patch.apply_to in places or patch.apply_to == "EXTENSION_CONFIG"
            notes.need(fits, f"{path}.match", f"applyTo {patch.apply_to} cannot match a {kind.replace('_', ' ')}")
    if match.waypoint is not None:
        notes.warn(f"{path}.match.waypoint", "waypoints do not exist in sidecar mode", codes.NO_EFFECT)
