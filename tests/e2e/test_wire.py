"""What somebody who reads the wire between two pods sees: with STRICT nothing but TLS, of both sides' identities."""

from __future__ import annotations

import secrets
import time

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.test_security import peer_authentication
from tests.e2e.waiting import eventually
from tests.e2e.wire import APPLICATION_DATA, TLS_1_2, Key, Stream, Wire, records, versions

pytestmark = pytest.mark.lab
SERVERS = {
    "httpbin": ("http://httpbin:8000/headers", ("httpbin",)),
    "details": ("http://details:9080/details/0", ("details-v1",)),
    "ratings": ("http://ratings:9080/ratings/0", ("ratings-v1",)),
    "reviews": ("http://reviews:9080/reviews/0", ("reviews-v1", "reviews-v2", "reviews-v3")),
    "productpage": ("http://productpage:9080/health", ("productpage-v1",)),
}
CLIENTS = ("curl", "httpbin", "details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3", "productpage-v1")
ECHO = """
apiVersion: v1
kind: Service
metadata: {name: tcp-echo}
spec: {selector: {app: tcp-echo}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: tcp-echo}
spec:
  selector: {matchLabels: {app: tcp-echo}}
  template:
    metadata: {labels: {app: tcp-echo}}
    spec:
      containers:
      - {name: tcp-echo, image: docker.io/istio/tcp-echo-server:1.3, args: ["9000", hello], ports: [{containerPort: 9000}]}
"""


def everybody_calls(mesh: Mesh, mark: str) -> None:
    """Each pod calls each service with ``mark`` in path, header and body, on connections of its own."""
    urls = [url for url, pods in SERVERS.values() for _ in pods for _ in range(2)]
    for client in CLIENTS:
        calls = [f"{url}?{mark}" for url in urls]
        done = mesh.exec(client, "curl", "-s", "-o", "/dev/null", "-H", f"x-mark: {mark}", "-d", mark, "-G", *calls)
        assert done.code == 0, done.err
    said = mesh.exec("curl", "sh", "-c", f"(echo {mark}; sleep 1) | curl -s -m 3 telnet://tcp-echo:9000").out
    assert mark in said


def between(wire: Wire, addresses: dict[str, str]) -> dict[Key, Stream]:
    """The streams from one of these pods to another that have payload and whose begin was seen."""
    return {
        key: stream
        for key, stream in dict(wire.streams).items()
        if key[0] in addresses and key[2] in addresses and stream.segments and stream.begin is not None
    }


def sealed(wire: Wire, addresses: dict[str, str]) -> set[tuple[str, str]]:
    """Between whom, from the first to the second, encrypted application data went on a new connection."""
    return {
        (key[0], key[2])
        for key, stream in between(wire, addresses).items()
        if APPLICATION_DATA in (kind for kind, _ in records(stream.data()))
    }


@pytest.mark.row("PA-02", "PA-12", "CW-06")
def test_no_byte_of_an_application_is_in_clear_under_strict(mesh: Mesh) -> None:
    mesh.apply(ECHO)
    eventually(lambda: mesh.exec("curl", "sh", "-c", "echo x | curl -s -m 2 telnet://tcp-echo:9000").out, bool, 30)
    plain, mark = secrets.token_hex(12), secrets.token_hex(12)
    node = f"/run/netns/mizzen-{mesh.name}"
    with Wire(node) as wire:
        assert mesh.curl(f"http://httpbin.default:8000/get?{plain}", namespace="plain").code == 200
    assert any(plain.encode() in stream.raw() for stream in wire.streams.values()), "the capture sees nothing at all"

    mesh.apply(peer_authentication("STRICT", namespace="istio-system"))
    pods = {name: mesh.pod(name) for name in (*CLIENTS, "tcp-echo")}
    addresses = {pod["ip"]: name for name, pod in pods.items()}
    # Connections of before may carry one more request; what is looked at begins after they are gone.
    eventually(lambda: mesh.curl("http://httpbin.default:8000/get", namespace="plain").code, lambda code: code == 0, 20)
    with Wire(node) as wire:
        wanted = {
            (pods[client]["ip"], pods[server]["ip"])
            for client in CLIENTS
            for _, servers in SERVERS.values()
            for server in servers
        }
        wanted = {pair for pair in wanted if pair[0] != pair[1]} | {(pods["curl"]["ip"], pods["tcp-echo"]["ip"])}
        deadline = time.monotonic() + 60
        wanted |= {(two, one) for one, two in wanted}
        seen: set[tuple[str, str]] = set()
        while not wanted <= seen and time.monotonic() < deadline:
            everybody_calls(mesh, mark)
            seen = sealed(wire, addresses)
    missing = [(addresses[one], addresses[two]) for one, two in wanted - seen]
    assert not missing, f"no application data in TLS from one to the other of {missing}"

    told = [key for key, stream in wire.streams.items() if mark.encode() in stream.raw()]
    assert not told, f"in clear: {told}"
    for key, stream in between(wire, addresses).items():
        data = stream.data()
        kinds = [kind for kind, _ in records(data)]
        assert kinds, (key, data[:40])
        assert min(versions(data)) >= TLS_1_2, key

    both_identities(mesh)


def both_identities(mesh: Mesh) -> None:
    """What each server's proxy has seen of its callers' certificates, and each caller's of its servers'."""
    for name, (_, servers) in SERVERS.items():
        for reporter, workload in (("destination", servers[0]), ("source", "curl")):
            calls = mesh.metrics(
                workload,
                "istio_requests_total",
                reporter=reporter,
                source_workload="curl",
                destination_service_name=name,
                source_principal="spiffe://cluster.local/ns/default/sa/curl",
                destination_principal=f"spiffe://cluster.local/ns/default/sa/{account(name)}",
            )
            assert calls, (name, reporter)


def account(service: str) -> str:
    return service if service in ("httpbin", "curl") else f"bookinfo-{service}"
