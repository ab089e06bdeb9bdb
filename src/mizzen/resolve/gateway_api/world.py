"""What the conversion of the Gateway API looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mizzen.api.gateway_api import RouteNamespaces
from mizzen.api.meta import Object
from mizzen.model import label_selector
from mizzen.model.config import ObjectKey
from mizzen.model.features import GatewayApi
from mizzen.model.service import Service
from mizzen.resolve.gateway_api.grants import Grants

Objects = Mapping[ObjectKey, Object]


SERVICES = (("", "Service"), ("networking.istio.io", "ServiceEntry"))
"""Group and kind of what stands for hosts."""


@dataclass(frozen=True)
class World:
    """``objects`` by kind: those of the Gateway API, Namespaces, Secrets, ConfigMaps, Services and ServiceEntries."""

    objects: Mapping[str, Objects]
    hosts: Mapping[str, tuple[Service, ...]]
    grants: Grants
    domain: str
    options: GatewayApi

    def of(self, kind: str) -> Objects:
        return self.objects.get(kind) or {}

    def aged(self, kind: str) -> list[Object]:
        """The objects of one kind, the oldest first."""
        return sorted(self.of(kind).values(), key=lambda o: o.age_key)

    def hostname(self, service: str, namespace: str) -> str:
        return f"{service}.{namespace}.svc.{self.domain}"

    def known_hosts(self, kind: str, name: str, namespace: str) -> tuple[str, ...]:
        """The hostnames of a Service or a ServiceEntry that the mesh knows; none, where it is not there."""
        if kind == "ServiceEntry":
            entry = self.of(kind).get((namespace, name))
            hosts: tuple[str, ...] = entry.body.hosts if entry is not None else ()
        else:
            hosts = (self.hostname(name, namespace),)
        return tuple(host for host in hosts if self.hosts.get(host))

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        """Of each namespace; every namespace has its own name as a label, as Kubernetes sees to."""
        return {
            name: {"kubernetes.io/metadata.name": name, **obj.meta.labels}
            for (_, name), obj in self.of("Namespace").items()
        }

    def namespaces(self, allowed: RouteNamespaces | None, own: str, default: str = "Same") -> list[str]:
        """The namespaces that ``allowed`` lets in, for an object in ``own``: ``*`` for all, nothing for none (row GA-07)."""
        source = (allowed.from_ if allowed is not None else "") or default
        if source == "All":
            return ["*"]
        if source == "Same":
            return [own]
        selector = allowed.selector if allowed is not None and source == "Selector" else None
        if selector is None or label_selector.problem(selector):
            return []
        return sorted(name for name, labels in self._labels.items() if label_selector.matches(selector, labels))
