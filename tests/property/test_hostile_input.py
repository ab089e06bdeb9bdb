"""What strangers send, fuzzed: certificate requests, client certificates, tokens, key sets, nodes. Each is taken or refused in
the one way that its reader promises; nothing else is raised, and nothing that was changed is believed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from envoy.config.core.v3 import base_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.errors import CsrRejected, ProtocolError, Unauthenticated
from mizzen.model.config import Config
from mizzen.model.identity import Identity
from mizzen.model.view import Policies
from mizzen.pki import public_key
from mizzen.server.authenticate import Authenticator
from mizzen.server.node import Node
from mizzen.translate import jwt as jwt_filter
from mizzen.translate.filters import Direction
from tests.fakes.controlplane import Tokens, csr_pem, pod
from tests.meshes import SECURITY, new

KEY = ec.generate_private_key(ec.SECP256R1())
CSR = csr_pem(KEY, "spiffe://cluster.local/ns/default/sa/web")
DER = base64.b64decode("".join(CSR.splitlines()[1:-1]))
FLIPS = st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(1, 255)), min_size=1, max_size=4)


def pem(data: bytes) -> str:
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"


def mine(key: Any) -> bool:
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return bool(key.public_bytes(*form) == KEY.public_key().public_bytes(*form))


@pytest.mark.row("CA-03", "CA-10")
@given(flips=FLIPS, cut=st.integers(0, len(DER)))
@settings(max_examples=400, deadline=None)
def test_a_certificate_request_that_was_changed_is_refused(flips: list[tuple[int, int]], cut: int) -> None:
    """The signature covers everything, so at most a change that means nothing leaves the same key."""
    data = bytearray(DER)
    for place, bits in flips:
        data[place] ^= bits
    for changed in (bytes(data), bytes(data[:cut])):
        if changed == DER:
            continue
        with contextlib.suppress(CsrRejected):
            assert mine(public_key(pem(changed)))


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(str.encode),
        st.binary(max_size=300).map(lambda b: pem(b).encode()),
    )
)
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_certificate_request_are_refused(data: bytes) -> None:
    with pytest.raises(CsrRejected):
        public_key(data)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("keys") / "jwks.json")


def authenticator(path: Path) -> Authenticator:
    config = Config().with_objects([pod("default", "web-0", account="web")])

    async def changed() -> None:
        raise TimeoutError  # no news comes

    return Authenticator(path, lambda: config, changed)


def identity(path: Path, token: str) -> Identity | None:
    try:
        return asyncio.run(authenticator(path).caller(None, f"Bearer {token}")).identity
    except Unauthenticated:
        return None


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.row("CA-04")
@given(place=st.integers(0, 10_000), letter=st.characters(codec="latin-1"))
@settings(max_examples=400, deadline=None)
def test_a_token_that_was_changed_names_nobody(tokens: Tokens, place: int, letter: str) -> None:
    good = tokens.token("default", "web", "web-0")
    assert identity(tokens.path, good) == Identity("cluster.local", "default", "web")
    place %= len(good)
    changed = good[:place] + letter + good[place + 1 :]
    found = identity(tokens.path, changed)
    if found is not None:  # the last letters of base64 have bits that mean nothing
        assert [decoded(part) for part in changed.split(".")] == [decoded(part) for part in good.split(".")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.row("CA-04")
@given(
    claims=st.fixed_dictionaries({}, optional=dict.fromkeys(("sub", "aud", "exp", "iss", "nbf", "kubernetes.io"), JSON))
)
@settings(max_examples=300, deadline=None)
def test_a_signed_token_with_strange_claims_names_nobody_else(tokens: Tokens, claims: dict[str, Any]) -> None:
    try:
        token = tokens.token("default", "web", "web-0", **claims)
    except (TypeError, ValueError):
        return  # the library that signs does not write such a claim
    assert identity(tokens.path, token) in (None, Identity("cluster.local", "default", "web"))


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_text_that_is_no_token_names_nobody(tokens: Tokens, text: str) -> None:
    assert identity(tokens.path, text) is None


@pytest.mark.row("CA-05", "CW-06")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["URI", "DNS", "IP Address", "email"]),
            st.one_of(
                st.text(max_size=60),
                st.sampled_from(
                    [
                        "spiffe://cluster.local/ns/default/sa/web/../admin",
                        "spiffe://cluster.local/ns/default/sa/",
                        "spiffe://cluster.local/ns//sa/web",
                        "spiffe://other/ns/default/sa/web",
                        "spiffe://cluster.local@evil/ns/default/sa/web",
                        "spiffe://cluster.local/ns/default/sa/web?x",
                        "spiffe://cluster.local/ns/default/sa/web#x",
                        "SPIFFE://cluster.local/ns/default/sa/web",
                        "https://cluster.local/ns/default/sa/web",
                        "spiffe://cluster.local:80/ns/default/sa/web",
                        "spiffe://cluster.local/ns/default/sa/web\x00",
                    ]
                ),
            ),
        ),
        max_size=3,
    )
)
@settings(max_examples=400, deadline=None)
def test_a_certificate_with_strange_names_is_nobodys(tokens: Tokens, names: list[tuple[str, str]]) -> None:
    try:
        caller = asyncio.run(authenticator(tokens.path).caller({"subjectAltName": tuple(names)}, ""))
    except Unauthenticated:
        return
    uris = [value for kind, value in names if kind == "URI"]
    assert uris == [caller.identity.uri], "what is believed is exactly what the certificate says"
    assert caller.identity.trust_domain == "cluster.local"


@given(
    id_=st.one_of(st.text(max_size=80), st.lists(st.text(max_size=10), min_size=4, max_size=4).map("~".join)),
    kind=st.sampled_from(["", "sidecar~", "router~"]),
    metadata=st.dictionaries(
        st.sampled_from(["NAMESPACE", "NAME", "LABELS", "POD_PORTS", "SERVICE_ACCOUNT", "HTTP10", "x"]),
        JSON,
        max_size=5,
    ),
)
@settings(max_examples=300, deadline=None)
def test_a_node_of_any_form_is_a_proxy_or_refused(id_: str, kind: str, metadata: dict[str, Any]) -> None:
    try:
        node = base_pb2.Node(id=kind + id_, metadata=ParseDict(metadata, Struct()))
    except (ValueError, UnicodeEncodeError):
        return  # no message can hold that
    try:
        parsed = Node.parse(node)
    except ProtocolError:
        return
    proxy = parsed.proxy(Config())
    assert proxy.namespace
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in proxy.labels.items())


@pytest.mark.row("RA-05")
@given(st.one_of(st.text(max_size=80), JSON.map(json.dumps), JSON.map(lambda keys: json.dumps({"keys": keys}))))
@settings(max_examples=300, deadline=None)
def test_a_key_set_of_any_form_is_taken_or_replaced_by_one_that_nobody_has(text: str) -> None:
    obj = new(SECURITY, "RequestAuthentication", "a", "t", {"jwtRules": [{"issuer": "x", "jwks": text or " "}]})
    (filter_,) = jwt_filter.http_filters(Policies(request_authentications=(obj,)), Direction.INBOUND)
    config = jwt_filter.pb.JwtAuthentication()
    assert filter_.typed_config.Unpack(config)
    taken = config.providers["origins-0"].local_jwks.inline_string
    assert taken == jwt_filter.UNKNOWN_KEYS or json.loads(taken)["keys"]


@pytest.mark.parametrize("part", [0, 1])
def test_a_token_that_is_nested_without_end_names_nobody(tokens: Tokens, part: int) -> None:
    parts = tokens.token("default", "web", "web-0").split(".")
    parts[part] = base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
    assert identity(tokens.path, ".".join(parts)) is None


def test_ports_of_a_pod_that_are_nested_without_end_are_none() -> None:
    node = base_pb2.Node(id="sidecar~1.1.1.1~a.b~c", metadata=ParseDict({"POD_PORTS": "[" * 100_000}, Struct()))
    assert Node.parse(node).proxy(Config()).pod_ports == ()
