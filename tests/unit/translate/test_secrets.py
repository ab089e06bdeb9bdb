"""Certificates of gateways, from Secrets of their own namespace only."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2
from msgspec.structs import replace

from mizzen.api.decode import decode_mesh
from mizzen.api.meta import Object
from mizzen.model.access import SecretAccess, reviewed
from mizzen.model.config import Config
from mizzen.model.proxy import Proxy
from mizzen.model.resources import CLUSTER, LISTENER, SECRET, UNUSABLE_CREDENTIAL
from mizzen.resolve import build, view
from mizzen.translate import Memo, resources
from tests.fakes.authorities import Ca, crl
from tests.meshes import NETWORKING, new, router, sidecar

ONE, TWO = Ca("one"), Ca("two")
L1, L2 = crl(ONE), crl(TWO)
C, K, C2, K2, R, R2 = ONE.pem, ONE.key_pem, TWO.pem, TWO.key_pem, ONE.pem, TWO.pem


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
    found = served(simple, secret("cert", tls_crt=C, tls_key=K), secret("cert", "shop", tls_crt=C2, tls_key=K2))
    assert list(found) == ["kubernetes://cert"]
    certificate = found["kubernetes://cert"].tls_certificate
    assert (certificate.certificate_chain.inline_bytes, certificate.private_key.inline_bytes) == (
        C.encode(),
        K.encode(),
    )
    assert served(simple, secret("cert", "shop", tls_crt=C2, tls_key=K2)) == {}
    old = served(simple, secret("cert", cert=C, key=K))
    assert old["kubernetes://cert"].tls_certificate.private_key.inline_bytes == K.encode()


@pytest.mark.row("GW-12", "GW-17")
def test_client_roots_from_a_secret_of_their_own_or_from_the_same() -> None:
    mutual = gateway(mode="MUTUAL", credentialName="cert")
    same = served(mutual, secret("cert", tls_crt=C, tls_key=K, ca_crt=R))
    assert same["kubernetes://cert-cacert"].validation_context.trusted_ca.inline_bytes == R.encode()
    apart = served(mutual, secret("cert", tls_crt=C, tls_key=K), secret("cert-cacert", cacert=R2))
    assert apart["kubernetes://cert-cacert"].validation_context.trusted_ca.inline_bytes == R2.encode()


@pytest.mark.row("GW-17")
def test_a_missing_or_broken_secret_takes_away_only_its_own_certificate() -> None:
    both = gateway(mode="SIMPLE", credentialNames=["rsa", "ecdsa"])
    assert list(served(both, secret("rsa", tls_crt=C, tls_key=K))) == ["kubernetes://rsa"]
    broken = new("v1", "Secret", "istio-system", "ecdsa", {}, data={"tls.crt": "%%%", "tls.key": "%%%"})
    assert list(served(both, secret("rsa", tls_crt=C, tls_key=K), broken)) == ["kubernetes://rsa"]


def test_a_sidecar_gets_no_gateways_secret() -> None:
    snapshot = build(
        Config().with_objects([gateway(mode="SIMPLE", credentialName="cert"), secret("cert", tls_crt=C, tls_key=K)])
    )
    assert not resources(view(snapshot, sidecar(1, "istio-system", istio="ingressgateway"))).get(SECRET)


SIMPLE = {"mode": "SIMPLE", "credentialName": "cert"}


@pytest.mark.row("CG-02")
def test_the_first_complete_pair_counts_and_empty_values_do_not() -> None:
    both = secret("cert", cert=C, key=K, tls_crt=C2, tls_key=K2)
    assert served(gateway(**SIMPLE), both)["kubernetes://cert"].tls_certificate.private_key.inline_bytes == K.encode()
    half = secret("cert", cert=C, key="", tls_crt=C2, tls_key=K2)
    found = served(gateway(**SIMPLE), half)["kubernetes://cert"].tls_certificate
    assert (found.certificate_chain.inline_bytes, found.private_key.inline_bytes) == (C2.encode(), K2.encode())
    mixed = secret("cert", cert=C, tls_key=K2)
    assert served(gateway(**SIMPLE), mixed) == {}


@pytest.mark.row("CG-02")
def test_a_list_of_revoked_certificates_goes_along() -> None:
    mutual = gateway(mode="MUTUAL", credentialName="cert")
    stapled = {"tls.crt": C, "tls.key": K, "ca.crt": R, "ca.crl": L1}
    raw = new("v1", "Secret", "istio-system", "cert", {}, stringData=stapled)
    found = served(mutual, raw)
    validation = found["kubernetes://cert-cacert"].validation_context
    assert (validation.trusted_ca.inline_bytes, validation.crl.inline_bytes) == (R.encode(), L1.encode())
    # The generic keys come first, with their own list, and a Secret for the roots counts alone.
    own = new("v1", "Secret", "istio-system", "cert-cacert", {}, stringData={"cacert": R2, "crl": L2, "ca.crt": R})
    validation = served(mutual, raw, own)["kubernetes://cert-cacert"].validation_context
    assert (validation.trusted_ca.inline_bytes, validation.crl.inline_bytes) == (R2.encode(), L2.encode())
    assert "kubernetes://cert-cacert" not in served(mutual, raw, secret("cert-cacert", other="x"))


@pytest.mark.row("CG-01", "CG-02")
def test_roots_may_be_in_a_config_map_of_any_namespace() -> None:
    mutual = gateway(mode="MUTUAL", credentialName="cert", caCertCredentialName="configmap://shop/roots")
    roots = new("v1", "ConfigMap", "shop", "roots", {}, data={"ca.crt": R})
    found = served(mutual, secret("cert", tls_crt=C, tls_key=K), roots)
    assert found["configmap://shop/roots-cacert"].validation_context.trusted_ca.inline_bytes == R.encode()
    assert served(gateway(mode="SIMPLE", credentialName="configmap://shop/roots"), roots) == {}


@pytest.mark.row("CG-01")
@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("kubernetes://istio-system/cert", "kubernetes://istio-system/cert"),
        ("kubernetes://cert", "kubernetes://cert"),
        ("sds://cert", "kubernetes://cert"),
        ("kubernetes-gateway://shop/cert", "kubernetes-gateway://shop/cert"),
    ],
)
def test_names_with_a_scheme(written: str, name: str) -> None:
    material = [secret("cert", tls_crt=C, tls_key=K), secret("cert", "shop", tls_crt=C, tls_key=K)]
    assert list(served(gateway(mode="SIMPLE", credentialName=written), *material)) == [name]


@pytest.mark.row("CG-01", "CG-03")
@pytest.mark.parametrize(
    "written",
    ["kubernetes://shop/cert", "kubernetes-gateway://bank/cert", "invalid://cert", "builtin://", "unheard-of://cert"],
)
def test_what_a_gateway_never_gets(written: str) -> None:
    material = [secret("cert", of, tls_crt=C, tls_key=K) for of in ("istio-system", "shop", "bank")]
    assert served(gateway(mode="SIMPLE", credentialName=written), *material) == {}


@pytest.mark.row("CG-03", "CG-04")
def test_a_refused_or_missing_secret_is_told_with_the_field_that_names_it() -> None:
    both = gateway(mode="SIMPLE", credentialNames=["there", "kubernetes://shop/other"])
    snapshot = build(Config().with_objects([both, secret("there", tls_crt=C, tls_key=K)]))
    made = resources(view(snapshot, router()))
    assert list(made.get(SECRET)) == ["kubernetes://there"]
    (finding,) = made.findings
    assert (finding.code, finding.kind, finding.name) == (UNUSABLE_CREDENTIAL, "Gateway", "gw")
    assert finding.field == "spec.servers[0].tls.credentialNames"
    assert "namespace istio-system gets no Secret of namespace shop" in finding.message
    assert (
        "there is no Secret gone"
        in resources(view(build(Config().with_objects([gateway(mode="SIMPLE", credentialName="gone")])), router()))
        .findings[0]
        .message
    )


@pytest.mark.row("CG-06")
def test_a_changed_secret_changes_itself_and_its_roots_alone() -> None:
    config = Config().with_objects(
        [
            gateway(mode="MUTUAL", credentialNames=["one", "two"]),
            secret("one", tls_crt=C, tls_key=K, ca_crt=R),
            secret("two", tls_crt=C2, tls_key=K2),
        ]
    )
    memo = Memo()
    snapshot = build(config)
    before = resources(view(snapshot, router()), memo)
    changed = build(config.with_objects([secret("one", tls_crt=C2, tls_key=K2, ca_crt=R2)]), snapshot)
    after = resources(view(changed, router()), memo)
    different = {
        name
        for kind, made in after.types.items()
        for name, resource in made.items()
        if resource.version != before.get(kind)[name].version
    }
    assert different == {"kubernetes://one", "kubernetes://one-cacert"}


@pytest.mark.row("CG-08")
@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ({"mode": "SIMPLE"}, {"kubernetes://cert-cacert"}),
        ({"mode": "MUTUAL"}, {"kubernetes://cert", "kubernetes://cert-cacert"}),
        ({"mode": "MUTUAL", "insecureSkipVerify": True}, {"kubernetes://cert"}),
    ],
)
def test_a_rules_secrets_for_an_egress_gateway_and_for_selected_sidecars(
    tls: dict[str, Any], expected: set[str]
) -> None:
    policy = {"tls": {"credentialName": "cert", **tls}}
    entry = new(
        NETWORKING,
        "ServiceEntry",
        "istio-system",
        "out",
        {"hosts": ["out.example"], "ports": [{"number": 443, "name": "http", "protocol": "HTTP"}], "resolution": "DNS"},
    )
    everybody = new(
        NETWORKING, "DestinationRule", "istio-system", "out", {"host": "out.example", "trafficPolicy": policy}
    )
    selected = new(
        NETWORKING,
        "DestinationRule",
        "istio-system",
        "out",
        {"host": "out.example", "trafficPolicy": policy, "workloadSelector": {"matchLabels": {"app": "web"}}},
    )
    material = secret("cert", tls_crt=C, tls_key=K, ca_crt=R)

    def of(rule: Object, proxy: Proxy) -> tuple[set[str], bool]:
        made = resources(view(build(Config().with_objects([entry, rule, material])), proxy))
        cluster = cluster_pb2.Cluster.FromString(made.get(CLUSTER)["outbound|443||out.example"].body)
        return set(made.get(SECRET)), cluster.HasField("transport_socket")

    assert of(everybody, router()) == (expected, True)
    assert of(selected, sidecar(1, "istio-system", app="web")) == (expected, True)
    assert of(selected, sidecar(1, "istio-system", app="other")) == (set(), False)
    assert of(everybody, sidecar(1, "istio-system", app="web")) == (set(), False), "no TLS at all, and no secret"


@pytest.mark.row("CW-02")
def test_files_of_the_pod_are_secrets_that_envoy_watches() -> None:
    files = gateway(
        mode="MUTUAL", serverCertificate="/etc/a/tls.crt", privateKey="/etc/a/tls.key", caCertificates="/etc/b/ca.crt"
    )
    found = served(files)
    certificate = found["file-cert:/etc/a/tls.crt~/etc/a/tls.key"].tls_certificate
    assert (certificate.certificate_chain.filename, certificate.private_key.filename) == (
        "/etc/a/tls.crt",
        "/etc/a/tls.key",
    )
    assert certificate.watched_directory.path == "/etc/a"
    validation = found["file-root:/etc/b/ca.crt"].validation_context
    assert (validation.trusted_ca.filename, validation.watched_directory.path) == ("/etc/b/ca.crt", "/etc/b")


@pytest.mark.row("CG-04")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"tls_crt": C, "tls_key": K2}, "not that of the certificate"),
        ({"tls_crt": "nonsense", "tls_key": K}, "cannot be read"),
        ({"tls_crt": C, "tls_key": K, "tls_ocsp-staple": "nonsense"}, "staple"),
    ],
)
def test_what_envoy_could_not_load_is_held_back_and_told(data: dict[str, str], said: str) -> None:
    both = gateway(mode="SIMPLE", credentialNames=["good", "bad"])
    objects = [both, secret("good", tls_crt=C, tls_key=K), secret("bad", **data)]
    made = resources(view(build(Config().with_objects(objects)), router()))
    assert list(made.get(SECRET)) == ["kubernetes://good"]
    (finding,) = made.findings
    assert said in finding.message
    assert "PRIVATE" not in finding.message


@pytest.mark.row("DR-45", "DR-52")
def test_the_system_s_roots_and_the_files_that_a_proxy_names() -> None:
    own = new(NETWORKING, "DestinationRule", "shop", "r", {"host": "web", "trafficPolicy": {"tls": {"mode": "SIMPLE"}}})
    web = new("v1", "Service", "shop", "web", {"clusterIP": "10.96.0.1", "ports": [{"name": "http", "port": 80}]})
    flags = {"TLS_CLIENT_CERT_CHAIN": "/c", "TLS_CLIENT_KEY": "/k", "TLS_CLIENT_ROOT_CERT": "/r"}
    snapshot = build(Config().with_objects([own, web]))
    plain = resources(view(snapshot, sidecar(1, "shop"))).get(SECRET)
    assert list(plain) == ["file-root:system"]
    system = secret_pb2.Secret.FromString(plain["file-root:system"].body)
    assert system.validation_context.trusted_ca.filename == "/etc/ssl/certs/ca-certificates.crt"
    named = resources(view(snapshot, replace(sidecar(1, "shop"), flags=flags))).get(SECRET)
    assert sorted(named) == ["file-cert:/c~/k", "file-root:/r", "file-root:system"]


@pytest.mark.row("MC-02")
@pytest.mark.parametrize(
    ("tls", "names"),
    [
        ({"mode": "SIMPLE"}, {"file-root:system"}),
        ({"mode": "SIMPLE", "insecureSkipVerify": True}, set()),
        ({"mode": "DISABLE"}, set()),
    ],
)
def test_roots_for_names_that_nobody_declared_are_there_or_their_cluster_would_wait(
    tls: dict[str, Any], names: set[str]
) -> None:
    mesh, problems = decode_mesh({"outboundTrafficPolicy": {"mode": "ALLOW_ANY_DYNAMIC_DNS", "tls": tls}})
    assert not problems
    snapshot = build(Config(mesh=mesh))
    assert resources(view(snapshot, sidecar())).get(SECRET).keys() == names
    assert not resources(view(snapshot, router())).get(SECRET)


def asked_for(*objects: Object, access: SecretAccess, account: str = "edge") -> tuple[set[str], set[str], list[str]]:
    """For the gateway's pod: the secrets served, those that its listeners name, and what the findings say."""
    proxy = replace(router(), service_account=account)
    made = resources(view(build(Config(secret_access=access).with_objects(objects)), proxy))
    named: set[str] = set()
    for resource in made.get(LISTENER).values():
        for chain in listener_pb2.Listener.FromString(resource.body).filter_chains:
            context = tls_pb2.DownstreamTlsContext()
            if chain.transport_socket.typed_config.Unpack(context):
                common = context.common_tls_context
                named |= {each.name for each in common.tls_certificate_sds_secret_configs}
                named.add(common.combined_validation_context.validation_context_sds_secret_config.name)
    return set(made.get(SECRET)), named - {""}, [finding.message for finding in made.findings]


@pytest.mark.row("GW-31")
def test_an_account_that_may_not_list_secrets_gets_no_key_but_its_roots() -> None:
    port = new(
        "v1", "Service", "istio-system", "edge", {"selector": {"istio": "ingressgateway"}, "ports": [{"port": 443}]}
    )
    mutual = gateway(mode="MUTUAL", credentialName="cert", caCertCredentialName="own")
    objects = port, mutual, secret("cert", tls_crt=C, tls_key=K), secret("own-cacert", cacert=R)
    roots, key = "kubernetes://own-cacert", "kubernetes://cert"
    assert asked_for(*objects, access=reviewed([("istio-system", "edge")])) == ({key, roots}, {key, roots}, [])
    served_now, named, said = asked_for(*objects, access=reviewed([("istio-system", "other"), ("shop", "edge")]))
    assert served_now == {roots}
    assert named == {"withheld://cert", roots}, "another name, so that Envoy drops what it had"
    assert len(said) == 1
    assert "service account edge of namespace istio-system may not list Secrets there" in said[0]


@pytest.mark.row("GW-31")
def test_secrets_of_a_gateways_own_namespace_and_files_need_no_review() -> None:
    granted = gateway(mode="SIMPLE", credentialName="kubernetes-gateway://shop/cert")
    made = asked_for(granted, secret("cert", "shop", tls_crt=C, tls_key=K), access=SecretAccess())[0]
    assert made == {"kubernetes-gateway://shop/cert"}
    files = gateway(mode="SIMPLE", serverCertificate="/c", privateKey="/k")
    assert asked_for(files, access=SecretAccess())[0] == {"file-cert:/c~/k"}


@pytest.mark.row("GW-31")
def test_a_sidecars_client_certificate_is_reviewed_too() -> None:
    entry = {
        "hosts": ["out.example"],
        "ports": [{"number": 443, "name": "http", "protocol": "HTTP"}],
        "resolution": "DNS",
    }
    policy = {"tls": {"mode": "MUTUAL", "credentialName": "cert"}}
    selecting = {"host": "out.example", "trafficPolicy": policy, "workloadSelector": {"matchLabels": {"app": "web"}}}
    objects = [
        new(NETWORKING, "ServiceEntry", "shop", "out", entry),
        new(NETWORKING, "DestinationRule", "shop", "out", selecting),
        secret("cert", "shop", tls_crt=C, tls_key=K, ca_crt=R),
    ]
    memo = Memo()
    snapshot = build(Config(secret_access=reviewed([("shop", "web")])).with_objects(objects))

    def of(account: str) -> tuple[set[str], str]:
        made = resources(view(snapshot, replace(sidecar(1, "shop", app="web"), service_account=account)), memo)
        context = tls_pb2.UpstreamTlsContext()
        cluster = cluster_pb2.Cluster.FromString(made.get(CLUSTER)["outbound|443||out.example"].body)
        assert cluster.transport_socket.typed_config.Unpack(context)
        return set(made.get(SECRET)), context.common_tls_context.tls_certificate_sds_secret_configs[0].name

    roots, key = "kubernetes://cert-cacert", "kubernetes://cert"
    assert of("web") == ({key, roots}, key)
    assert of("other") == ({roots}, "withheld://cert")
