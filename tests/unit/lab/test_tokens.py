"""Service-account tokens."""

import json
import stat
from pathlib import Path

import jwt

from mizzen.lab.tokens import ISSUER, Tokens

POD = {"metadata": {"name": "p", "namespace": "n", "uid": "pod-uid"}, "spec": {"serviceAccountName": "sa"}}


def test_a_token_verifies_by_the_published_key_and_names_pod_and_account(tmp_path: Path) -> None:
    tokens = Tokens.open(tmp_path)
    token = tokens.issue(POD, "sa-uid", ["istio-ca"], 600, 4_000_000_000)
    published = jwt.PyJWKSet.from_json((tmp_path / "jwks.json").read_text(encoding="utf-8"))
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(
        token,
        published[header["kid"]].key,
        ["ES256"],
        audience="istio-ca",
        options={"verify_nbf": False, "verify_iat": False},
    )
    assert claims["iss"] == ISSUER
    assert claims["sub"] == "system:serviceaccount:n:sa"
    assert claims["exp"] - claims["iat"] == 600
    assert claims["kubernetes.io"] == {
        "namespace": "n",
        "pod": {"name": "p", "uid": "pod-uid"},
        "serviceaccount": {"name": "sa", "uid": "sa-uid"},
    }


def test_the_key_is_private_and_stays_the_same(tmp_path: Path) -> None:
    first, second = Tokens.open(tmp_path), Tokens.open(tmp_path)
    assert first.key_id == second.key_id
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert "d" not in json.loads(first.jwks)["keys"][0]
    assert "PRIVATE" not in repr(first)
