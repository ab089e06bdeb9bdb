"""Resources in the form of a config dump."""

from __future__ import annotations

import base64
import json

import pytest
from envoy.admin.v3 import config_dump_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from mizzen.model.resources import EXTENSION_CONFIG, SECRET, Resource, ResourceSet
from mizzen.server.debug import dump
from mizzen.translate.messages import any_of, resource
from tests.unit.server.debug.world import WEB, still


def made() -> ResourceSet:
    hub = still()
    assert hub.current is not None
    found = hub.resources(hub.connections[WEB], hub.current)
    assert found is not None
    return found


@pytest.mark.row("DBG-06")
def test_the_whole_is_a_message_that_envoys_readers_understand() -> None:
    found = dump.whole(made(), "3", endpoints=True)
    message = json_format.ParseDict(found, config_dump_pb2.ConfigDump())
    kinds = [config.type_url.rpartition(".")[2] for config in message.configs]
    assert kinds == [
        "ClustersConfigDump",
        "ListenersConfigDump",
        "RoutesConfigDump",
        "SecretsConfigDump",
        "EcdsConfigDump",
        "EndpointsConfigDump",
    ]
    clusters, listeners, routes = found["configs"][:3]
    assert clusters["version_info"] == "3"
    named = {entry["cluster"]["name"] for entry in clusters["dynamic_active_clusters"]}
    assert {"outbound|80||web.shop.svc.cluster.local", "BlackHoleCluster"} <= named
    assert "virtualInbound" in {entry["name"] for entry in listeners["dynamic_listeners"]}
    assert listeners["dynamic_listeners"][0]["active_state"]["version_info"] == "3"
    assert "80" in {entry["route_config"]["name"] for entry in routes["dynamic_route_configs"]}


@pytest.mark.row("DBG-06")
def test_endpoints_are_there_only_when_asked_for() -> None:
    kinds = [config["@type"] for config in dump.whole(made(), "3", endpoints=False)["configs"]]
    assert not [kind for kind in kinds if "Endpoints" in kind]


@pytest.mark.row("DBG-06")
def test_bare_resources_of_some_types() -> None:
    found = dump.bare(made(), ["cds", "eds"])["configs"]
    assert {each["@type"].rpartition(".")[2] for each in found} == {"Cluster", "ClusterLoadAssignment"}
    assert dump.bare(made(), ["pcds"]) == {"configs": []}, "Istio's name is known, and nothing is sent of that type"
    with pytest.raises(ValueError, match="'xds' is no type; there are cds"):
        dump.bare(made(), ["xds"])


@pytest.mark.row("DBG-06")
def test_no_key_and_no_pull_secret_is_shown() -> None:
    secret = secret_pb2.Secret(name="kubernetes://cert")
    secret.tls_certificate.certificate_chain.inline_bytes = b"CHAIN"
    secret.tls_certificate.private_key.inline_bytes = b"PRIVATE"
    secret.tls_certificate.password.inline_string = "PASSWORD"
    variables = Struct()
    variables.update({"vm_config": {"environment_variables": {"key_values": {dump._PULL_SECRET: "TORN"}}}})
    filtered = extension_pb2.TypedExtensionConfig(name="wasm", typed_config=any_of(variables))
    found = ResourceSet.of([resource(SECRET, secret.name, secret), resource(EXTENSION_CONFIG, "wasm", filtered)])
    text = json.dumps(dump.whole(found, "1", endpoints=False))
    for hidden in (b"PRIVATE", b"PASSWORD", b"TORN"):
        assert hidden.decode() not in text
        assert base64.b64encode(hidden).decode() not in text
    assert base64.b64encode(b"CHAIN").decode() in text
    assert base64.b64encode(b"[redacted]").decode() in text
    assert "<Redacted>" in text


def test_what_cannot_be_read_is_named() -> None:
    strange = Resource.of("type.googleapis.com/not.a.Type", "x", b"")
    assert dump.shown(strange) == {
        "@type": "type.googleapis.com/not.a.Type",
        "name": "x",
        "error": "the type type.googleapis.com/not.a.Type is not known",
    }
