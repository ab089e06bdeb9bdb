"""Where something runs, read from labels, and the labels that a place stands for (rows LO-01, LO-05, XD-10)."""

from __future__ import annotations

from collections.abc import Mapping

from mizzen.model.service import Locality

REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
SUBZONE, NETWORK, CLUSTER = "topology.istio.io/subzone", "topology.istio.io/network", "topology.istio.io/cluster"
HOSTNAME = "kubernetes.io/hostname"
_OWN = ("topology.istio.io/locality", "istio-locality")
_OLD_REGION, _OLD_ZONE = "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone"


def parse(text: str) -> Locality:
    """``region/zone/subzone``, of which later parts may be missing."""
    parts = [*text.split("/", 2), "", ""]
    return Locality(parts[0], parts[1], parts[2])


def of_labels(labels: Mapping[str, str]) -> Locality | None:
    """What a workload's own labels say. A label's value holds no slash, so dots stand for them."""
    text = next((labels[name] for name in _OWN if labels.get(name)), "")
    return parse(text.replace(".", "/") if "/" not in text else text) if text else None


def of_machine(labels: Mapping[str, str]) -> Locality:
    """The place of a node; the labels of old Kubernetes count where the new ones are missing."""
    return Locality(
        labels.get(REGION) or labels.get(_OLD_REGION, ""),
        labels.get(ZONE) or labels.get(_OLD_ZONE, ""),
        labels.get(SUBZONE, ""),
    )


def labels_of(locality: Locality) -> dict[str, str]:
    """The labels that ``failoverPriority`` may name instead of a locality."""
    return {REGION: locality.region, ZONE: locality.zone, SUBZONE: locality.subzone}


def topology(network: str, cluster: str, node: str) -> dict[str, str]:
    """The labels that a workload gets from where it runs, besides its locality (row LO-05)."""
    found = {NETWORK: network, CLUSTER: cluster, HOSTNAME: node}
    return {key: value for key, value in found.items() if value}
