from __future__ import annotations

import pytest

from mizzen.model.service import Endpoint
from mizzen.translate.catalog import Catalog
from mizzen.translate.subsets import identities, variants
from tests.scenes import Scene

RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy: {loadBalancer: {simple: RANDOM}}
  subsets:
    - {name: v1, labels: {version: v1}}
    - {name: all, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}
"""


@pytest.mark.row("DR-06")
def test_a_port_splits_into_itself_and_its_subsets() -> None:
    catalog = Catalog(Scene(RULE).view().scope)
    service = catalog.service("reviews.shop.svc.cluster.local")
    assert service is not None
    members = catalog.endpoints(service, service.ports[0])
    found = {
        name: (policy, chosen) for name, policy, chosen in variants(catalog.rule(service), service.ports[0], members)
    }
    assert list(found) == ["", "v1", "all"]
    assert [e.address for e in found["v1"][1]] == ["10.1.0.2"]
    assert found[""][1] == found["all"][1] == members
    balancers = [policy.load_balancer.simple for policy, _ in found.values() if policy.load_balancer]
    assert balancers == ["RANDOM", "RANDOM", "ROUND_ROBIN"]


def test_without_a_rule_there_is_the_port_alone() -> None:
    catalog = Catalog(Scene().view().scope)
    service = catalog.service("reviews.shop.svc.cluster.local")
    assert service is not None
    only = (Endpoint(address="10.0.0.1", port=1, service_port=1),)
    assert [(name, chosen) for name, _, chosen in variants(None, service.ports[0], only)] == [("", only)]


@pytest.mark.row("OL-21")
def test_identities_are_those_of_all_servers_in_every_trust_domain() -> None:
    catalog = Catalog(Scene(trustDomainAliases=["old"]).view().scope)
    service = catalog.service("reviews.shop.svc.cluster.local")
    assert service is not None
    assert identities(catalog, service) == [
        "spiffe://cluster.local/ns/shop/sa/reviews",
        "spiffe://old/ns/shop/sa/reviews",
    ]
