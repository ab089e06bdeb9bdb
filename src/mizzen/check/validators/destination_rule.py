"""DestinationRule. Rows DR-01 to DR-08; ``traffic_policy`` judges the policies in it."""

from __future__ import annotations

from mizzen.api.destination_rule import DestinationRule, Subset
from mizzen.check import rules
from mizzen.check.notes import Notes
from mizzen.check.validators import traffic_policy

_MAP = "configmap://"


def validate(spec: DestinationRule, notes: Notes) -> None:
    rules.wildcard_host(notes, "spec.host", spec.host)
    if spec.traffic_policy is not None:
        traffic_policy.validate(spec.traffic_policy, "spec.trafficPolicy", notes)
    for index, subset in enumerate(spec.subsets):
        _subset(subset, f"spec.subsets[{index}]", notes)
    rules.unique(notes, "spec.subsets", [s.name for s in spec.subsets], "names of subsets must differ")
    if spec.workload_selector is None:
        _credentials(spec, notes)
    rules.selector(notes, "spec.workloadSelector", spec.workload_selector)
    rules.export_to(notes, "spec.exportTo", spec.export_to)
    if spec.workload_selector is not None and spec.export_to:
        own = all(value in (".", notes.obj.namespace) for value in spec.export_to)
        notes.need(own, "spec.exportTo", "a rule with a workloadSelector is for its own namespace only (row CM-08)")


def _credentials(spec: DestinationRule, notes: Notes) -> None:
    """Row DR-48: without a selector only gateways may use a Secret; a sidecar drops the block and sends plain text."""
    policies = [("spec.trafficPolicy", spec.traffic_policy)]
    policies += [(f"spec.subsets[{i}].trafficPolicy", s.traffic_policy) for i, s in enumerate(spec.subsets)]
    for path, policy in policies:
        for where, tls in traffic_policy.tls_blocks(policy, path):
            if tls.mode in ("SIMPLE", "MUTUAL") and tls.credential_name and not tls.credential_name.startswith(_MAP):
                text = "sidecars ignore this TLS block and send plain text; gateways use it. Add a workloadSelector"
                notes.warn(f"{where}.credentialName", text)


def _subset(subset: Subset, path: str, notes: Notes) -> None:
    if not subset.name:
        notes.error(f"{path}.name", "a subset needs a name")
    else:
        named = rules.DNS_LABEL.fullmatch(subset.name) is not None
        notes.need(named, f"{path}.name", f"{subset.name!r} is no subset name: lower-case letters, digits, '-'")
    rules.labels(notes, f"{path}.labels", subset.labels)
    if not subset.labels:
        notes.warn(f"{path}.labels", "a subset without labels holds every endpoint of the service")
    if subset.traffic_policy is not None:
        traffic_policy.validate(subset.traffic_policy, f"{path}.trafficPolicy", notes)
