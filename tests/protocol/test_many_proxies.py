"""Hundreds of proxies and services: what they share, and what a change costs (row XD-25)."""

from __future__ import annotations

import time

import pytest
from envoy.config.core.v3 import base_pb2

from mizzen.api.meta import Object
from mizzen.controlplane import compiler
from mizzen.model.config import Config
from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER
from mizzen.observe import Metrics
from mizzen.server.hub import Connection, Hub
from mizzen.server.node import Node
from mizzen.xds import DeltaSession, Response
from tests.meshes import endpoint_slice, pod, service
from tests.protocol.conversation import delta

SPACES, SERVICES, PROXIES = 10, 300, 400
HTTP = [{"name": "http", "port": 80, "targetPort": 8080}]
SLICE = [{"name": "http", "port": 8080}]
COLD_SECONDS, CHANGE_SECONDS = 60.0, 10.0
"""Many times what an idle machine needs: the machine may be busy, and what is wrong is wrong by orders."""


def mesh() -> list[Object]:
    """Each service with an endpoint, and pods of one workload in each namespace."""
    made: list[Object] = []
    for number in range(SERVICES):
        space, name = f"ns-{number % SPACES}", f"s-{number}"
        body = service(name, space, number % 250, HTTP)
        made += [body, endpoint_slice(name, space, SLICE, [f"10.2.{number // 250}.{number % 250}"])]
    made += [pod(f"p-{n}", f"ns-{n % SPACES}", n % 250, {"app": "web"}) for n in range(PROXIES)]
    return made


def connect(hub: Hub, number: int) -> Connection:
    space = f"ns-{number % SPACES}"
    address = f"10.1.{number // 250}.{number % 250}"
    node = Node.parse(base_pb2.Node(id=f"sidecar~{address}~p-{number}.{space}~{space}.svc.cluster.local"))
    connection = Connection(node, DeltaSession(), None, 0.0)
    answer(hub, connection)
    for short in ("cds", "eds", "lds"):
        acknowledge(connection, connection.session.receive(delta(short, add=["*"])))
    hub.attach(connection)
    return connection


def acknowledge(connection: Connection, responses: list[Response]) -> list[Response]:
    """Answers until nothing more comes; everything that came."""
    short = {CLUSTER: "cds", ENDPOINT: "eds", LISTENER: "lds"}
    came = []
    while responses:
        response = responses.pop(0)
        came.append(response)
        responses += connection.session.receive(delta(short[response.type_url], nonce=response.nonce))
    return came


def answer(hub: Hub, connection: Connection) -> list[Response]:
    assert hub.current is not None
    made = hub.resources(connection, hub.current)
    assert made is not None
    return connection.session.offer(made, hub.current.number)


@pytest.mark.row("XD-25")
def test_proxies_share_what_they_are_sent_and_a_change_is_made_once() -> None:
    hub = Hub(compiler(), Metrics())
    config = Config(revision=1).with_objects(mesh())
    began = time.monotonic()
    hub.publish(config)
    connections = [connect(hub, number) for number in range(PROXIES)]
    assert time.monotonic() - began < COLD_SECONDS
    assert hub.cached == SPACES, "one set of resources for all proxies of a namespace"
    sets = {id(connection.made[1]) for connection in connections if connection.made is not None}
    assert len(sets) == SPACES
    bodies = {id(r.body) for c in connections if c.made for r in c.made[1].get(CLUSTER).values()}
    names = {name for c in connections if c.made for name in c.made[1].get(CLUSTER)}
    assert len(bodies) <= len(names) + 5 * SPACES, (
        "across namespaces, too, the bytes of a service's cluster are one object"
    )

    began = time.monotonic()
    hub.publish(config.with_objects([endpoint_slice("s-0", "ns-0", SLICE, ["10.2.0.0", "10.3.0.0"])]))
    came = [acknowledge(connection, answer(hub, connection)) for connection in connections]
    assert time.monotonic() - began < CHANGE_SECONDS
    for responses in came:
        assert [(r.type_url, [x.name for x in r.resources]) for r in responses] == [
            (ENDPOINT, ["outbound|80||s-0.ns-0.svc.cluster.local"])
        ]
    assert len({id(responses[0].resources[0]) for responses in came}) <= SPACES
