"""Certificates of gateways, from Secrets of their own namespace only."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.resources import SECRET
from mizzen.resolve import build, view
from mizzen.translate import resources
from tests.meshes import NETWORKING, new, router, sidecar


def secret(name: str, namespace: str = "istio-system", **data: str) -> Object:
    encoded = {key.replace("_", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return new("v1", "Secret", namespace, name, {}, data=encoded)


def gateway(**tls: Any) -> Object:
    server = {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["a.example"], "tls": tls}
    return new(NETWORKING, "Gateway", "shop", "gw", {"selector": {"istio": "ingressgateway"}, "servers": [server]})


def served(*objects: Object) -> dict[str, secret_pb2.Secret]:
    made = resources(view(build(Config().with_objects(objects)), router())).get(SECRET)
    return {name: secret_pb2.Secret.FromString(resource.body) for name, resource in made.items()}


@pytest.mark.row("GW-17")
def test_the_gateway_pods_own_namespace_counts_and_others_do_not() -> None:
    simple = gateway(mode="SIMPLE", credentialName="cert")
    found = served(
        simple, secret("cert", tls_crt="CHAIN", tls_key="KEY"), secret("cert", "shop", tls_crt="x", tls_key="y")
    )
    assert list(found) == ["kubernetes://cert"]
    certificate = found["kubernetes://cert"].tls_certificate
    assert (certificate.certificate_chain.inline_bytes, certificate.private_key.inline_bytes) == (b"CHAIN", b"KEY")
    assert served(simple, secret("cert", "shop", tls_crt="x", tls_key="y")) == {}
    old = served(simple, secret("cert", cert="CHAIN", key="KEY"))
    assert old["kubernetes://cert"].tls_certificate.private_key.inline_bytes == b"KEY"


@pytest.mark.row("GW-12", "GW-17")
def test_client_roots_from_a_secret_of_their_own_or_from_the_same() -> None:
    mutual = gateway(mode="MUTUAL", credentialName="cert")
    same = served(mutual, secret("cert", tls_crt="C", tls_key="K", ca_crt="ROOTS"))
    assert same["kubernetes://cert-cacert"].validation_context.trusted_ca.inline_bytes == b"ROOTS"
    apart = served(mutual, secret("cert", tls_crt="C", tls_key="K"), secret("cert-cacert", cacert="OWN"))
    assert apart["kubernetes://cert-cacert"].validation_context.trusted_ca.inline_bytes == b"OWN"


@pytest.mark.row("GW-17")
def test_a_missing_or_broken_secret_takes_away_only_its_own_certificate() -> None:
    both = gateway(mode="SIMPLE", credentialNames=["rsa", "ecdsa"])
    assert list(served(both, secret("rsa", tls_crt="C", tls_key="K"))) == ["kubernetes://rsa"]
    broken = new("v1", "Secret", "istio-system", "ecdsa", {}, data={"tls.crt": "%%%", "tls.key": "%%%"})
    assert list(served(both, secret("rsa", tls_crt="C", tls_key="K"), broken)) == ["kubernetes://rsa"]


def test_a_sidecar_gets_no_gateways_secret() -> None:
    snapshot = build(
        Config().with_objects([gateway(mode="SIMPLE", credentialName="cert"), secret("cert", tls_crt="C", tls_key="K")])
    )
    assert not resources(view(snapshot, sidecar(1, "istio-system", istio="ingressgateway"))).get(SECRET)


@pytest.mark.row("DR-48")
def test_authorities_of_a_config_map_beside_the_rule_reach_sidecars() -> None:
    def found(reference: str, place: str = "shop") -> list[str]:
        policy = {"tls": {"mode": "SIMPLE", "credentialName": reference}}
        own = new(NETWORKING, "DestinationRule", "shop", "r", {"host": "web", "trafficPolicy": policy})
        roots = new("v1", "ConfigMap", place, "roots", {}, data={"ca.crt": "ROOTS"})
        web = new("v1", "Service", "shop", "web", {"clusterIP": "10.96.0.1", "ports": [{"name": "http", "port": 80}]})
        snapshot = build(Config().with_objects([own, roots, web]))
        return list(resources(view(snapshot, sidecar(1, "shop"))).get(SECRET))

    assert found("configmap://shop/roots") == ["configmap://shop/roots"]
    assert found("configmap://roots") == ["configmap://roots"]
    assert found("configmap://shop/roots-cacert") == ["configmap://shop/roots-cacert"]
    assert found("configmap://other/roots", "other") == []
    assert found("configmap://shop/none") == []
