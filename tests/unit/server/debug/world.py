"""A small mesh with the real core behind the debug pages, and proxies that are connected to it."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from envoy.config.core.v3 import base_pb2
from google.protobuf.json_format import ParseDict

from mizzen.api.meta import Object
from mizzen.controlplane import compiler
from mizzen.model.config import Config
from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER, LISTENER
from mizzen.observe import Metrics
from mizzen.server.debug import Pages
from mizzen.server.hub import Connection, Hub
from mizzen.server.node import Node
from mizzen.xds import DeltaSession
from tests.meshes import NETWORKING, endpoint_slice, new, pod, rule, service
from tests.protocol.conversation import delta

WEB = "sidecar~10.1.0.1~web-0.shop~shop.svc.cluster.local"
TELLER = "sidecar~10.1.0.2~teller-0.bank~bank.svc.cluster.local"
EDGE = "router~10.1.0.9~edge-0.istio-system~istio-system.svc.cluster.local"
PORT = {"name": "http", "port": 80, "targetPort": 8080}
OBJECTS: tuple[Object, ...] = (
    service("web", "shop", 1, [PORT]),
    service("teller", "bank", 2, [PORT]),
    endpoint_slice("web", "shop", [{"name": "http", "port": 8080}], ["10.1.0.1"]),
    endpoint_slice("teller", "bank", [{"name": "http", "port": 8080}], ["10.1.0.2"]),
    pod("web-0", "shop", 1, {"app": "web"}),
    pod("teller-0", "bank", 2, {"app": "teller"}),
    pod("edge-0", "istio-system", 9, {"app": "edge", "istio": "ingressgateway"}),
    rule("web", "shop", host="web", trafficPolicy={"connectionPool": {"tcp": {"connectTimeout": "3s"}}}),
    new("v1", "Secret", "shop", "hidden", {}, stringData={"tls.key": "c2VjcmV0"}),
    new(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        "shop",
        "deny",
        {"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["PUT"]}}]}]},
    ),
    new("telemetry.istio.io/v1", "Telemetry", "shop", "quiet", {"tracing": [{"disableSpanReporting": True}]}),
    new(NETWORKING, "Sidecar", "bank", "default", {"egress": [{"hosts": ["./*"]}]}),
)


def world(*more: Object, ids: tuple[str, ...] = (WEB, TELLER, EDGE)) -> Hub:
    """The mesh with these proxies connected; each has asked for clusters, and the first has acknowledged them."""
    hub = Hub(compiler(), Metrics())
    hub.publish(Config(revision=7).with_objects([*OBJECTS, *more]))
    for id_ in ids:
        connect(hub, id_)
    return hub


@cache
def still() -> Hub:
    """The same mesh for every test that changes nothing."""
    return world()


def connect(hub: Hub, id_: str, **metadata: Any) -> Connection:
    """A proxy that has proved who it is."""
    node = base_pb2.Node(id=id_)
    ParseDict({"ISTIO_VERSION": "1.32.0", "LABELS": {"app": "x"}, "CLUSTER_ID": "here", **metadata}, node.metadata)
    found = Node.parse(node)
    identity = Identity("cluster.local", found.namespace, "x")
    connection = Connection(found, DeltaSession(), identity, time.time(), secrets=True)
    assert hub.current is not None
    made = hub.resources(connection, hub.current)
    assert made is not None
    connection.session.offer(made, hub.current.number)
    for short in ("cds", "lds"):
        responses = connection.session.receive(delta(short))
        for response in responses:
            connection.sent[response.type_url] = 1_700_000_000.25
            if id_ == WEB and response.type_url == CLUSTER:
                connection.session.receive(delta("cds", nonce=response.nonce))
    assert LISTENER in connection.session.status()
    hub.attach(connection)
    return connection


def pages(hub: Hub) -> Pages:
    return Pages(hub, lambda: {"web-0.shop": {"ok": True}}, hub.again)
