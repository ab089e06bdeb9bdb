"""Several networks and clusters: registries that nobody has, services that differ (IST0126, IST0170)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mizzen.analyze.estate import SYSTEM, Estate, Subject
from mizzen.analyze.reading import block, blocks, text
from mizzen.model.finding import Finding

KIND, NAME = "MeshNetworks", "meshnetworks"
"""MeshNetworks is a part of the ConfigMap ``istio``; the analysis reports on it as an object of this kind and name."""

_BUILT_IN = {"Kubernetes", "External", "Mock"}
_REMOTE = "istio/multiCluster"


def unknown_registries(estate: Estate) -> Iterator[Finding]:
    remote = [secret for secret in estate.of("Secret") if secret.labels.get(_REMOTE) == "true"]
    known = _BUILT_IN | {str(key) for s in remote for part in ("data", "stringData") for key in block(s.raw, part)}
    for subject in estate.of(KIND):
        if (subject.namespace, subject.name) != (SYSTEM, NAME):
            continue
        for network, settings in block(subject.raw, "networks").items():
            for endpoint in blocks(settings, "endpoints"):
                registry = text(endpoint, "fromRegistry")
                if registry and registry not in known:
                    yield subject.finding("IST0126", registry=registry, network=network)


def differing_services(estate: Estate) -> Iterator[Finding]:
    """Services of one name that are not the same in every cluster that was analysed."""
    by_name: dict[tuple[str, str], list[Subject]] = defaultdict(list)
    for service in estate.of("Service"):
        by_name[(service.namespace, service.name)].append(service)
    for (namespace, name), services in by_name.items():
        clusters = sorted({service.cluster for service in services})
        reasons = [reason for reason, shape in _SHAPES if len({shape(service) for service in services}) > 1]
        if len(clusters) > 1 and reasons:
            named, why = ", ".join(clusters), ", ".join(reasons)
            yield services[0].finding("IST0170", name=name, namespace=namespace, clusters=named, reasons=why)


def _headless(service: Subject) -> str:
    return str(text(service.raw, "spec", "clusterIP") == "None")


def _type(service: Subject) -> str:
    return text(service.raw, "spec", "type") or "ClusterIP"


def _ports(service: Subject) -> str:
    ports = sorted(blocks(service.raw, "spec", "ports"), key=lambda port: text(port, "name"))
    return repr([sorted((str(key), str(value)) for key, value in port.items()) for port in ports])


_SHAPES = (("headless or not", _headless), ("type", _type), ("ports", _ports))
