from __future__ import annotations

import pytest
import yaml

from mizzen.api.destination_rule import TrafficPolicy
from tests.gateway_world import CA, conditions, gateway, made, route, status
from tests.scenes import Scene

ROOTS = "---\n" + yaml.safe_dump(
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "roots", "namespace": "shop"},
        "data": {"ca.crt": CA.pem},
    }
)
TARGET = "{group: '', kind: Service, name: web}"
REFS = "caCertificateRefs: [{group: '', kind: ConfigMap, name: roots}], hostname: web.test"
ENTRY = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out, namespace: shop}
spec: {hosts: [a.com, b.com], ports: [{number: 443, name: https, protocol: HTTPS}], resolution: DNS}
"""


def policy(
    targets: str = TARGET,
    validation: str = REFS,
    name: str = "p",
    created: str = "2026-01-05T00:00:00Z",
    notes: str = "",
) -> str:
    return f"""
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: {name}, namespace: shop, creationTimestamp: "{created}"{notes}}}
spec: {{targetRefs: [{targets}], validation: {{{validation}}}}}
"""


def rules(text: str) -> dict[str, TrafficPolicy]:
    return {o.body.host: o.body.traffic_policy for o in made(text).destination_rules.values()}


@pytest.mark.row("GA-15")
def test_tls_towards_a_service() -> None:
    tls = rules(ROOTS + policy())["web.shop.svc.cluster.local"].tls
    assert tls is not None
    assert (tls.mode, tls.sni, tls.credential_name) == ("SIMPLE", "web.test", "configmap://shop/roots")
    assert tls.subject_alt_names == ("web.test",)


@pytest.mark.row("GF-16")
def test_names_of_its_own_and_the_roots_of_the_system() -> None:
    names = "subjectAltNames: [{type: Hostname, hostname: x.test}, {type: URI, uri: 'spiffe://a/b'}]"
    tls = rules(policy(validation=f"wellKnownCACertificates: System, hostname: web.test, {names}"))[
        "web.shop.svc.cluster.local"
    ].tls
    assert tls is not None
    assert (tls.credential_name, tls.subject_alt_names) == ("", ("x.test", "spiffe://a/b"))


@pytest.mark.row("GA-15")
def test_one_port_alone_and_every_host_of_an_entry() -> None:
    one = rules(ROOTS + policy("{group: '', kind: Service, name: web, sectionName: http}"))[
        "web.shop.svc.cluster.local"
    ]
    assert one.tls is None
    assert [(p.port.number, p.tls.sni) for p in one.port_level_settings if p.port and p.tls] == [(80, "web.test")]
    entry = policy("{group: networking.istio.io, kind: ServiceEntry, name: out}")
    assert sorted(rules(ROOTS + ENTRY + entry)) == ["a.com", "b.com"]


@pytest.mark.row("GA-15")
@pytest.mark.parametrize(
    ("text", "accepted", "resolved", "credential"),
    [
        (ROOTS + policy(), "True Accepted", "True ResolvedRefs", "configmap://shop/roots"),
        (policy(), "False NoValidCACertificate", "False InvalidCACertificateRef", "invalid://"),
        (
            policy(validation="caCertificateRefs: [{group: '', kind: Secret, name: roots}], hostname: a"),
            "False NoValidCACertificate",
            "False InvalidKind",
            "invalid://",
        ),
        (policy(validation="hostname: a"), "False NoValidCACertificate", "False InvalidCACertificateRef", "invalid://"),
        (ROOTS + policy(TARGET.replace("web", "absent")), "False TargetNotFound", "True ResolvedRefs", None),
        (
            ROOTS + policy(TARGET.replace("}", ", sectionName: absent}")),
            "False TargetNotFound",
            "True ResolvedRefs",
            None,
        ),
        (ROOTS + policy("{group: x, kind: Y, name: z}"), "False TargetNotFound", "True ResolvedRefs", None),
        (
            ROOTS + policy() + policy(name="older", created="2026-01-01T00:00:00Z"),
            "False Conflicted",
            "True ResolvedRefs",
            "configmap://shop/roots",
        ),
    ],
)
def test_what_is_told_and_what_holds(text: str, accepted: str, resolved: str, credential: str | None) -> None:
    ancestor = status(text, "BackendTLSPolicy", "p")["ancestors"][0]
    assert conditions(ancestor) == {"Accepted": accepted, "ResolvedRefs": resolved}
    assert [p.tls.credential_name for p in rules(text).values() if p.tls] == ([credential] if credential else [])


@pytest.mark.row("GA-15")
def test_gateways_that_lead_to_the_target_are_told_too() -> None:
    text = gateway() + ROOTS + policy(TARGET.replace("}", ", sectionName: http}"))
    assert [a["ancestorRef"]["kind"] for a in status(text, "BackendTLSPolicy", "p")["ancestors"]] == ["Service"]
    text += route("rules: [{backendRefs: [{name: reviews, port: 80}]}]", name="elsewhere")
    assert [a["ancestorRef"]["kind"] for a in status(text, "BackendTLSPolicy", "p")["ancestors"]] == ["Service"]
    text += route("rules: [{backendRefs: [{name: web, port: 80}]}]")
    found = status(text, "BackendTLSPolicy", "p")["ancestors"]
    assert [(a["ancestorRef"]["kind"], a["controllerName"]) for a in found] == [
        ("Service", "istio.io/mesh-controller"),
        ("Gateway", "istio.io/gateway-controller"),
    ]
    assert [a["ancestorRef"].get("sectionName") for a in found] == ["http", None]


@pytest.mark.row("GA-15")
def test_a_policy_for_one_port_stands_beside_one_for_the_service() -> None:
    port = policy(TARGET.replace("}", ", sectionName: http}"), REFS.replace("web.test", "port.test"), name="younger")
    text = ROOTS + policy(created="2026-01-01T00:00:00Z") + port
    (made_,) = made(text).destination_rules.values()
    assert made_.body.export_to == ("*",)
    found = made_.body.traffic_policy
    assert (found.tls.sni, found.port_level_settings[0].tls.sni) == ("web.test", "port.test")


@pytest.mark.row("GA-15")
def test_a_policy_that_is_to_be_ignored() -> None:
    assert rules(ROOTS + policy(notes=", annotations: {istio.io/ignore-policy-attachment: 'true'}")) == {}


@pytest.mark.row("GA-15")
def test_a_rule_of_the_users_keeps_all_but_its_tls() -> None:
    rule = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: shop, creationTimestamp: "2026-01-09T00:00:00Z"}
spec: {host: web, trafficPolicy: {connectionPool: {tcp: {maxConnections: 7}}, tls: {mode: DISABLE}}}
"""
    (found,) = Scene(ROOTS + policy() + rule).snapshot.destination_rules
    assert found.name == "web"
    assert found.body.traffic_policy.connection_pool.tcp.max_connections == 7
    assert found.body.traffic_policy.tls.sni == "web.test"


@pytest.mark.row("GA-15")
def test_no_more_ancestors_are_told_than_a_status_may_have() -> None:
    many = ", ".join(f"{{group: '', kind: Service, name: absent-{n}}}" for n in range(20))
    assert len(status(ROOTS + policy(many), "BackendTLSPolicy", "p")["ancestors"]) == 16
