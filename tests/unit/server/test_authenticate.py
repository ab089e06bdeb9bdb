"""Who calls: what a certificate and a token may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mizzen.api.kubernetes import Opaque
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object, ObjectMeta
from mizzen.errors import Unauthenticated
from mizzen.model.config import Config
from mizzen.server.authenticate import Authenticator
from tests.fakes.controlplane import Tokens, pod

CONFIG = Config(mesh=MeshConfig(trust_domain="td", trust_domain_aliases=("old",))).with_objects(
    [pod("shop", "web-0", account="web")]
)


async def nothing() -> None:
    raise TimeoutError


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "jwks.json")


def authenticator(tokens: Tokens, config: Config | None = CONFIG) -> Authenticator:
    return Authenticator(tokens.path, lambda: config, nothing)


def certificate(*uris: str) -> dict[str, Any]:
    return {"subjectAltName": (*(("URI", uri) for uri in uris), ("DNS", "x"))}


@pytest.mark.row("CA-04", "CA-05")
async def test_a_certificate_wins_over_a_token_and_a_token_gives_the_meshs_domain(tokens: Tokens) -> None:
    token = f"Bearer {tokens.token('shop', 'web', 'web-0')}"
    found = await authenticator(tokens).caller(certificate("spiffe://old/ns/a/sa/b"), token)
    assert (found.identity.uri, found.pod) == ("spiffe://old/ns/a/sa/b", "")
    found = await authenticator(tokens).caller(None, token)
    assert (found.identity.uri, found.pod) == ("spiffe://td/ns/shop/sa/web", "web-0")


@pytest.mark.row("CA-05")
@pytest.mark.parametrize(
    "uris",
    [
        (),
        ("spiffe://td/ns/a/sa/b", "spiffe://td/ns/a/sa/c"),
        ("spiffe://foreign/ns/a/sa/b",),
        ("https://td/ns/a/sa/b",),
        ("spiffe://td/a",),
    ],
)
async def test_a_certificate_names_one_identity_of_this_mesh(tokens: Tokens, uris: tuple[str, ...]) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator(tokens).caller(certificate(*uris), f"Bearer {tokens.token('shop', 'web', 'web-0')}")


@pytest.mark.row("CA-04")
@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "web"},
        {"sub": "system:node:x:y"},
        {"sub": "system:serviceaccount::web"},
        {"kubernetes.io": {"namespace": "bank", "pod": {"name": "web-0", "uid": "uid-1"}}},
        {"kubernetes.io": {"namespace": "shop"}},
        {"kubernetes.io": "x"},
        {"aud": "other"},
    ],
)
async def test_tokens_that_are_bound_to_nothing_we_know(tokens: Tokens, changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator(tokens).caller(None, f"Bearer {tokens.token('shop', 'web', 'web-0', **changes)}")


async def test_before_the_first_configuration_nobody_is_known(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated, match="no configuration"):
        await authenticator(tokens, None).caller(certificate("spiffe://td/ns/a/sa/b"), "")
    with pytest.raises(Unauthenticated, match="neither"):
        await authenticator(tokens).caller(None, "Basic x")


def machine(uid: str) -> dict[str, Any]:
    return {"kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "web", "uid": uid}}}


@pytest.mark.row("CA-04", "VM-01")
async def test_a_token_of_no_pod_lives_as_long_as_its_service_account(tokens: Tokens) -> None:
    account = Object(kind="ServiceAccount", meta=ObjectMeta(name="web", namespace="shop", uid="u"), body=Opaque())
    known = authenticator(tokens, CONFIG.with_objects([account]))
    found = await known.caller(None, f"Bearer {tokens.token('shop', 'web', '', **machine('u'))}")
    assert (found.identity.uri, found.pod) == ("spiffe://td/ns/shop/sa/web", "")
    for token in (
        tokens.token("shop", "web", "", **machine("of an older account")),
        tokens.token("shop", "web", "", **machine("")),
        tokens.token("shop", "other", "", **machine("u")),
        tokens.token("bank", "web", "", **machine("u")),
    ):
        with pytest.raises(Unauthenticated):
            await known.caller(None, f"Bearer {token}")
