"""What a service port splits into: itself and the subsets of its DestinationRule, and whose identities stand behind it."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.api.destination_rule import DestinationRule, TrafficPolicy
from mizzen.model.service import Endpoint, Port, Service
from mizzen.translate.catalog import Catalog
from mizzen.translate.traffic_policy import NONE, for_port, for_subset


def variants(
    rule: DestinationRule | None, port: Port, members: tuple[Endpoint, ...]
) -> Iterator[tuple[str, TrafficPolicy, tuple[Endpoint, ...]]]:
    """(subset or empty, policy, endpoints): the port as a whole, then each subset with those that have its labels (DR-06)."""
    yield "", for_port(rule.traffic_policy, port.number) if rule else NONE, members
    for subset in rule.subsets if rule else ():
        chosen = tuple(e for e in members if subset.labels.items() <= e.labels.items())
        yield subset.name, for_subset(rule, subset, port.number) if rule else NONE, chosen


def identities(catalog: Catalog, service: Service) -> list[str]:
    """The identities of all servers of this hostname, in every trust domain of the mesh (rows OL-21, SE-13)."""
    snapshot, mesh = catalog.scope.snapshot, catalog.scope.mesh
    found = set(service.subject_alt_names)
    for port in service.ports:
        for endpoint in snapshot.endpoints.get((service.namespace, service.hostname, port.number), ()):
            identity = endpoint.identity
            if identity is not None:
                found.add(identity.uri)
                for alias in mesh.trust_domain_aliases:
                    found.add(type(identity)(alias, identity.namespace, identity.service_account).uri)
    return sorted(found)
