"""What Ingresses say of where they can be reached (row IG-06)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from mizzen.api import kubernetes as k8s
from mizzen.api.meta import Object
from mizzen.model.config import Config, ObjectKey
from mizzen.model.hosts import is_ip
from mizzen.resolve.kubernetes_ingress import DEFAULT_SELECTOR, ours

Entry = Mapping[str, str]
"""``{"ip": …}`` or ``{"hostname": …}``."""


def statuses(config: Config) -> dict[ObjectKey, list[Entry]]:
    """``status.loadBalancer.ingress`` of every Ingress that is ours; of others nothing is said."""
    served = [key for key, obj in config.of("Ingress").items() if ours(obj, config.of("IngressClass"), config.mesh)]
    found = _sorted(_of_service(config) if config.mesh.ingress_service else _of_node(config)) if served else []
    return dict.fromkeys(served, found)


def _of_service(config: Config) -> Iterator[str]:
    """The addresses of the gateway's Service: none while it does not exist."""
    service = config.of("Service").get((config.mesh.root_namespace, config.mesh.ingress_service))
    if service is None:
        return
    spec: k8s.ServiceSpec = service.body.spec
    if spec.type == "ExternalName":
        yield spec.external_name
        return
    yield from chain.from_iterable(service.body.balancer)
    yield from spec.external_ips


def _of_node(config: Config) -> Iterator[str]:
    """Without a Service: the external addresses of the machine of the first gateway pod that runs."""
    selector = config.mesh.ingress_selector or DEFAULT_SELECTOR
    pods = (config.of("Pod")[key] for key in sorted(config.of("Pod")))
    pod = next((p for p in pods if _runs(p) and p.meta.labels.get("istio") == selector), None)
    node = config.of("Node").get(("", pod.body.spec.node_name)) if pod is not None else None
    if node is not None:
        yield from (a.address for a in node.body.status.addresses if a.type == "ExternalIP")


def _runs(pod: Object) -> bool:
    return bool(pod.body.status.phase == "Running") and not pod.meta.deletion_timestamp


def _sorted(addresses: Iterator[str]) -> list[Entry]:
    """Names before addresses, each once, by the alphabet."""
    entries = {(("ip" if is_ip(text) else "hostname"), text) for text in addresses if text}
    return [{kind: text} for kind, text in sorted(entries)]
