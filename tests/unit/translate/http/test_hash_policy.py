"""What is hashed, and which of the rule's blocks says so."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from mizzen.translate.http.hash_policy import consistent_hash, hash_policy
from tests.meshes import rule


def block(name: str) -> dict[str, Any]:
    return {"loadBalancer": {"consistentHash": {"httpHeaderName": name}}}


@pytest.mark.row("DR-13")
@pytest.mark.parametrize(
    ("written", "made"),
    [
        ({"httpHeaderName": "x"}, {"header": {"headerName": "x"}}),
        ({"useSourceIp": True}, {"connectionProperties": {"sourceIp": True}}),
        ({"httpQueryParameterName": "q"}, {"queryParameter": {"name": "q"}}),
        ({"httpCookie": {"name": "c", "ttl": "0s"}}, {"cookie": {"name": "c", "ttl": "0s"}}),
        ({"httpCookie": {"name": "c", "path": "/p"}}, {"cookie": {"name": "c", "path": "/p"}}),
    ],
)
def test_kinds(written: dict[str, Any], made: dict[str, Any]) -> None:
    body = rule("r", "a", host="x", trafficPolicy={"loadBalancer": {"consistentHash": written}}).body
    settings = consistent_hash(body, "", 0)
    assert settings is not None
    policy = hash_policy(settings)
    assert policy is not None
    assert MessageToDict(policy) == made


@pytest.mark.row("DR-13")
def test_the_subsets_port_then_the_subset_then_the_port_then_the_top() -> None:
    top = {**block("top"), "portLevelSettings": [{"port": {"number": 80}, **block("port")}]}
    own = {**block("subset"), "portLevelSettings": [{"port": {"number": 80}, **block("subset-port")}]}
    subsets = [{"name": "v1", "trafficPolicy": own}, {"name": "v2"}]
    body = rule("r", "a", host="x", trafficPolicy=top, subsets=subsets).body

    def name(subset: str, port: int) -> str:
        found = consistent_hash(body, subset, port)
        return found.http_header_name if found else ""

    asked = [("v1", 80), ("v1", 0), ("v2", 80), ("v2", 0), ("", 80), ("", 81)]
    assert [name(*a) for a in asked] == ["subset-port", "subset", "port", "top", "port", "top"]
    assert consistent_hash(None, "", 80) is None
