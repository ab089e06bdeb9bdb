"""Cases drawn from Istio's public test data, where it lies (see tests/conformance_data/data.py)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import yaml
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.json_format import MessageToDict, ParseDict

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import AuthorizationPolicy
from mizzen.model.view import Policies
from mizzen.translate import rbac
from tests.conformance_data import data


def _normal(value: Any) -> Any:
    """Order of lists does not count, and an OR of one is that one."""
    if isinstance(value, dict):
        for name, inner in (("orRules", "rules"), ("orIds", "ids")):
            if value.keys() == {name} and len(value[name][inner]) == 1:
                return _normal(value[name][inner][0])
        return {key: _normal(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted((_normal(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _policies(text: str) -> Policies:
    found: dict[str, list[Object]] = {}
    for document in filter(None, yaml.safe_load_all(text)):
        body = msgspec.convert(document.get("spec") or {}, AuthorizationPolicy)
        meta = msgspec.convert(document["metadata"], ObjectMeta)
        found.setdefault(body.action.lower(), []).append(Object(kind="AuthorizationPolicy", meta=meta, body=body))
    return Policies(**{action: tuple(objects) for action, objects in found.items()})


def test_filters_equal_istios() -> None:
    for case in data.cases("authz-builder.json"):
        if case["builder"] != "rbac":
            continue
        domain = case["trust_domain"]
        mesh = MeshConfig(trust_domain=domain["domain"], trust_domain_aliases=tuple(domain["aliases"]))
        build = rbac.http_filters if case["protocol"] == "http" else rbac.network_filters
        built = [MessageToDict(filter_.typed_config) for filter_ in build(_policies(case["input_yaml"]), mesh)]
        wanted = [MessageToDict(ParseDict(golden["filter"]["typedConfig"], Packed())) for golden in case["golden"]]
        assert [_normal(filter_) for filter_ in built] == [_normal(filter_) for filter_ in wanted], case["id"]
