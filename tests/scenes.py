"""Small meshes written as YAML, and what one proxy of theirs gets: for unit tests of resolve and translate."""

from __future__ import annotations

from typing import Any

import yaml
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message

from mizzen.model.config import Config
from mizzen.model.proxy import Proxy
from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, ROUTE, ResourceSet
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import ProxyView
from mizzen.resolve import build, view
from mizzen.translate import resources
from tests.golden import runner

EDGE = """
apiVersion: v1
kind: Pod
metadata: {name: edge-0, namespace: istio-system, labels: {istio: ingressgateway}}
spec: {serviceAccountName: edge, containers: [{name: istio-proxy, image: auto}]}
status: {podIP: 10.1.0.20, phase: Running}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: istio-system}
spec:
  clusterIP: 10.96.0.20
  selector: {istio: ingressgateway}
  ports: [{name: http2, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]
"""


class Scene:
    """The shop of ``golden/base`` with an ingress gateway ``istio-system/edge-0``, and more objects."""

    def __init__(self, text: str = "", **mesh: Any) -> None:
        documents = [d for part in (EDGE, text) for d in yaml.load_all(part, Loader=yaml.CSafeLoader) if d]
        self.config: Config = runner.config_of({"base": ["shop"], "config": documents, "mesh": mesh})
        self.snapshot: Snapshot = build(self.config)

    def proxy(self, where: str = "shop/web-0") -> Proxy:
        return runner.proxy_of(self.config, where)

    def view(self, where: str = "shop/web-0") -> ProxyView:
        return view(self.snapshot, self.proxy(where))

    def resources(self, where: str = "shop/web-0") -> ResourceSet:
        return resources(self.view(where))

    def edge(self) -> ResourceSet:
        return self.resources("istio-system/edge-0")


def cluster(made: ResourceSet, name: str) -> Any:
    return runner.message_of(made.get(CLUSTER)[name])


def endpoints(made: ResourceSet, name: str) -> Any:
    return runner.message_of(made.get(ENDPOINT)[name])


def listener(made: ResourceSet, name: str) -> Any:
    return runner.message_of(made.get(LISTENER)[name])


def route(made: ResourceSet, name: str) -> Any:
    return runner.message_of(made.get(ROUTE)[name])


def unpacked(packed: Packed, kind: type[Message]) -> Any:
    """The message inside ``packed``, which has to be of this type."""
    message = kind()
    assert packed.Unpack(message), packed.type_url
    return message
