import base64
import json
from pathlib import Path

import jwt
import pytest
from cryptography import x509

from tests.conformance.material import Material


@pytest.fixture
def material(tmp_path: Path) -> Material:
    return Material(tmp_path, {"ext": "10.0.0.9"}.__getitem__, lambda: "http://keys")


def test_certificates_are_signed_by_their_authority(material: Material) -> None:
    leaf = x509.load_pem_x509_certificate(material.fill("${crt:alpha/a.example}").encode())
    authority = x509.load_pem_x509_certificate(material.fill("${ca:alpha}").encode())
    leaf.verify_directly_issued_by(authority)
    other = x509.load_pem_x509_certificate(material.fill("${ca:beta}").encode())
    with pytest.raises(ValueError, match="does not match"):
        leaf.verify_directly_issued_by(other)


def test_tokens_are_signed_by_the_named_key(material: Material) -> None:
    token = material.fill('Bearer ${jwt:{"iss": "me", "a": {"b": "c"}, "_key": "k2"}} end').split()[1]
    keys = {name: jwt.PyJWK(json.loads(material.fill(f"${{jwks:{name}}}"))["keys"][0]).key for name in ("k1", "k2")}
    assert jwt.decode(token, keys["k2"], ["RS256"])["a"] == {"b": "c"}
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, keys["k1"], ["RS256"])
    past = material.fill('${jwt:{"_exp": "past"}}')
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(past, keys["k1"], ["RS256"])


def test_a_served_key_set_can_be_rotated(material: Material, tmp_path: Path) -> None:
    assert material.fill("${jwks_uri:k1}") == "http://keys/jwks-k1"
    before = (tmp_path / "jwks-k1").read_text()
    material.rotate("k1", "k2")
    assert json.loads((tmp_path / "jwks-k1").read_text())["keys"][0]["kid"] == "k2"
    assert json.loads(before)["keys"][0]["kid"] == "k1"


def test_secrets_become_base64_and_other_texts_stay(material: Material) -> None:
    secret = {"kind": "Secret", "stringData": {"a": "${ip:ext}"}, "data": {"b": "AAAA", "c": "${ip:ext}"}}
    told = base64.b64encode(b"10.0.0.9").decode()
    assert material.fill(secret) == {"kind": "Secret", "data": {"a": told, "b": "AAAA", "c": told}}
    reference = {"group": "", "kind": "Secret", "name": "a"}
    assert material.fill(reference) == reference
    assert material.fill({"x": ["${HOME} ${i} %REQ(:path)%"]}) == {"x": ["${HOME} ${i} %REQ(:path)%"]}


def test_an_open_brace_is_an_error(material: Material) -> None:
    with pytest.raises(ValueError, match="no closing brace"):
        material.fill("${ca:alpha")


def test_a_wish_for_a_token_that_is_not_known_is_an_error(material: Material) -> None:
    with pytest.raises(ValueError, match="_colour"):
        material.fill('${jwt:{"iss": "a", "_colour": "red"}}')
