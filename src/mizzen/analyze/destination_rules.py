"""DestinationRules without CAs, without a service, and with subsets of nothing (IST0128, IST0129, IST0173, IST0174)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.hosts import Known, hosts_of
from mizzen.analyze.labels import LabelIndex
from mizzen.analyze.reading import text
from mizzen.api.destination_rule import ClientTLSSettings, DestinationRule
from mizzen.model.finding import Finding

_LOCALITY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


def ca_certificates(estate: Estate) -> Iterator[Finding]:
    for rule in estate.decoded("DestinationRule"):
        body: DestinationRule = rule.body
        policy = body.traffic_policy
        if policy is None:
            continue
        named = {"rule": rule.full_name, "namespace": rule.namespace, "host": body.host}
        if policy.tls is not None and _unverified(body, policy.tls):
            field = "spec.trafficPolicy.tls.caCertificates"
            yield rule.finding("IST0128", field, mode=policy.tls.mode, **named)
        for index, setting in enumerate(policy.port_level_settings):
            if setting.tls is not None and _unverified(body, setting.tls):
                field = f"spec.trafficPolicy.portLevelSettings[{index}].tls.caCertificates"
                port = f"number:{setting.port.number}" if setting.port is not None else ""
                yield rule.finding("IST0129", field, mode=setting.tls.mode, port=port, **named)


def _unverified(rule: DestinationRule, tls: ClientTLSSettings) -> bool:
    by_secret = bool(tls.credential_name) and rule.workload_selector is not None
    return tls.mode in ("SIMPLE", "MUTUAL") and not tls.ca_certificates and not by_secret


def subsets(estate: Estate) -> Iterator[Finding]:
    hosts = hosts_of(estate)
    placed = LabelIndex((_with_place(estate, pod), pod) for pod in estate.pods)
    for rule in estate.decoded("DestinationRule"):
        body: DestinationRule = rule.body
        known = hosts.find(body.host, rule.namespace, body.export_to)
        if known is None:
            yield rule.finding("IST0174", "spec.host", host=body.host)
            continue
        base = _selector(known)
        for index, subset in enumerate(body.subsets):
            if not placed.find({**base, **subset.labels}):
                yield rule.finding("IST0173", f"spec.subsets[{index}].name", subset=subset.name)


def _selector(known: Known) -> Mapping[str, str]:
    """What a ServiceEntry selects; a Service's own selector is left out, as in Istio."""
    for subject in known.subjects:
        if subject.kind == "ServiceEntry" and subject.body.workload_selector is not None:
            found: Mapping[str, str] = subject.body.workload_selector.match_labels
            return found
    return {}


def _with_place(estate: Estate, pod: Subject) -> Mapping[str, str]:
    node_name = text(pod.raw, "spec", "nodeName")
    node = estate.find("Node", "", node_name) if node_name else None
    place = {label: node.labels[label] for label in _LOCALITY if node is not None and node.labels.get(label)}
    return {**pod.labels, **place, **({"kubernetes.io/hostname": node_name} if node_name else {})}
