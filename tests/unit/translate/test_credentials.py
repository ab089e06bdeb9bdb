"""How credentials are named, and from where Envoy takes them."""

from __future__ import annotations

import pytest

from mizzen.api.destination_rule import ClientTLSSettings
from mizzen.api.gateway import ServerTLSSettings
from mizzen.model.resources import PUBLIC_SECRETS
from mizzen.translate import credentials
from mizzen.translate.credentials import Name


@pytest.mark.row("CG-01")
@pytest.mark.parametrize(
    ("written", "certificate", "roots"),
    [
        ("a", "kubernetes://a", "kubernetes://a-cacert"),
        ("a-cacert", "kubernetes://a-cacert", "kubernetes://a-cacert"),
        ("kubernetes://n/a", "kubernetes://n/a", "kubernetes://n/a-cacert"),
        ("configmap://n/a", "configmap://n/a", "configmap://n/a-cacert"),
        ("sds://a", "kubernetes://a", "kubernetes://a-cacert"),
        ("invalid://a", "invalid://a", "invalid://a-cacert"),
    ],
)
def test_the_names_that_a_credential_stands_for(written: str, certificate: str, roots: str) -> None:
    assert credentials.certificate_name(written) == certificate
    assert credentials.roots_name(written) == roots
    assert credentials.certificate(written).name == certificate
    assert credentials.roots(written).sds_config.HasField("ads")


@pytest.mark.row("CG-01")
def test_builtin_is_the_workloads_own_certificate() -> None:
    own, trusted = credentials.certificate("builtin://"), credentials.roots("builtin://")
    assert (own.name, trusted.name) == ("default", "ROOTCA")
    assert own.sds_config.path_config_source.path.endswith("/default.json")


@pytest.mark.row("CG-01")
def test_a_missing_secret_holds_its_listener_back_only_for_envoys_own_time() -> None:
    assert not credentials.certificate("a").sds_config.HasField("initial_fetch_timeout")


def test_a_name_is_taken_apart() -> None:
    assert Name.parse("kubernetes://n/a-cacert") == Name("kubernetes", "n", "a-cacert")
    assert Name.parse("kubernetes://a") == Name("kubernetes", "", "a")


@pytest.mark.row("CW-02")
def test_names_of_files() -> None:
    assert credentials.file_certificate("/c", "/k").name == "file-cert:/c~/k"
    assert credentials.file_roots("/r").name == "file-root:/r"


@pytest.mark.row("CG-03")
def test_what_holds_no_secret_is_known_by_its_name() -> None:
    public = (
        credentials.file_certificate_name("/c", "/k"),
        credentials.file_roots_name("/r"),
        credentials.roots_name("configmap://n/a"),
    )
    assert all(name.startswith(PUBLIC_SECRETS) for name in public)
    assert not credentials.certificate_name("a").startswith(PUBLIC_SECRETS)


@pytest.mark.row("GW-31")
@pytest.mark.parametrize(
    ("written", "certificate"),
    [
        ("a", "withheld://a"),
        ("kubernetes://n/a", "withheld://n/a"),
        ("sds://a", "withheld://a"),
        ("kubernetes-gateway://n/a", "kubernetes-gateway://n/a"),
        ("configmap://n/a", "configmap://n/a"),
        ("builtin://", "builtin://"),
        ("", ""),
    ],
)
def test_what_names_a_key_is_withheld_and_roots_are_not(written: str, certificate: str) -> None:
    settings = ServerTLSSettings(mode="MUTUAL", credential_name=written, credential_names=("b",))
    assert credentials.named_for(settings, lists_secrets=True) is settings
    named = credentials.named_for(settings, lists_secrets=False)
    assert (named.credential_name, named.credential_names) == (certificate, ("withheld://b",))
    assert credentials.roots_name(named.credential_name) == credentials.roots_name(written)
    rule = credentials.named_for(ClientTLSSettings(mode="MUTUAL", credential_name=written), lists_secrets=False)
    assert rule.credential_name == certificate
