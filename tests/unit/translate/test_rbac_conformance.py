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
from mizzen.model.authorizer import Authorizer
from mizzen.model.service import Service
from mizzen.resolve.authorizers import authorizers, usable
from mizzen.resolve.policies import policies
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


def _objects(text: str) -> list[Object]:
    found = []
    for document in filter(None, yaml.safe_load_all(text)):
        body = msgspec.convert(document.get("spec") or {}, AuthorizationPolicy)
        meta = msgspec.convert(document["metadata"], ObjectMeta)
        found.append(Object(kind="AuthorizationPolicy", meta=meta, body=body))
    return found


def _authorizers(case: dict[str, Any]) -> dict[str, Authorizer]:
    """Istio's test knows this service and no other."""
    host = "my-custom-ext-authz.foo.svc.cluster.local"
    service = Service(hostname=host, name="my-custom-ext-authz", namespace="foo", ports=())
    mesh = MeshConfig(extension_providers=tuple((case.get("mesh_config") or {}).get("extensionProviders", ())))
    return usable(authorizers(mesh, {host: (service,)}))


def _provider_name_ends(value: Any) -> Any:
    """Ours says where the provider's name ends (row AP-06); Istio's lets ``a`` match ``a-b``."""
    return json.loads(
        json.dumps(value).replace('"prefix": "istio-ext-authz-default-ns["', '"prefix": "istio-ext-authz-default"')
    )


def test_filters_equal_istios() -> None:
    for case in data.cases("authz-builder.json"):
        _compare(case)


def _compare(case: dict[str, Any]) -> None:
    domain = case["trust_domain"]
    mesh = MeshConfig(trust_domain=domain["domain"], trust_domain_aliases=tuple(domain["aliases"]))
    own = case["proxy"]
    found = policies(
        _objects(case["input_yaml"]), (), own["namespace"], own["labels"], "istio-system", _authorizers(case)
    )
    builders = {
        ("rbac", "http"): rbac.http_filters,
        ("rbac", "tcp"): rbac.network_filters,
        ("custom", "http"): rbac.custom_http_filters,
        ("custom", "tcp"): rbac.custom_network_filters,
    }
    build: Any = builders[case["builder"], case["protocol"]]
    built = [_provider_name_ends(MessageToDict(filter_.typed_config)) for filter_ in build(found, mesh)]
    wanted = [MessageToDict(ParseDict(golden["filter"]["typedConfig"], Packed())) for golden in case["golden"]]
    assert [_normal(filter_) for filter_ in built] == [_normal(filter_) for filter_ in wanted], case["id"]
