"""Two sidecars on loopback: a server's inbound side and, where a test wants it, a client's outbound side.

There is no capture here, so the inbound listener binds the container port itself, on 127.0.0.2, and
``inboundTrafficPolicy: LOCALHOST`` leads to the app on 127.0.0.1.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from msgspec import structs

from mizzen.api.mesh_config import InboundTrafficPolicy, MeshConfig, TLSConfig
from mizzen.model.conduct import DEFAULT_CONDUCT, Conduct
from mizzen.model.protocol import Protocol
from mizzen.model.service import Service
from mizzen.model.view import Inbound, InboundPort, MtlsMode, Policies
from mizzen.translate import alpn, hcm, inbound, tcp, tls
from mizzen.translate.filters import Direction
from tests.envoy.loopback import Authority, Envoy, client_tls, envoy

SERVER_HOST = "127.0.0.2"
SERVER_ID = "spiffe://cluster.local/ns/bar/sa/server"
CLIENT_ID = "spiffe://cluster.local/ns/foo/sa/client"
REVIEWS = Service(hostname="reviews.bar.svc.cluster.local", name="reviews", namespace="bar", ports=())


def own(workload: str, namespace: str, app: str = "", version: str = "") -> dict[str, str]:
    """The environment that the agent gives to Envoy."""
    return {
        "MIZZEN_WORKLOAD_NAME": workload,
        "MIZZEN_NAMESPACE": namespace,
        "MIZZEN_CANONICAL_NAME": app or workload,
        "MIZZEN_CANONICAL_REVISION": version or "latest",
        "MIZZEN_APP": app,
        "MIZZEN_VERSION_LABEL": version,
        "MIZZEN_PEER_APP": app,
        "MIZZEN_PEER_VERSION": version,
        "MIZZEN_CLUSTER_ID": "Kubernetes",
    }


def mesh_config(log: Path | None = None, encoding: str = "TEXT") -> MeshConfig:
    return MeshConfig(
        inbound_traffic_policy=InboundTrafficPolicy(mode="LOCALHOST"),
        access_log_file=str(log) if log else "",
        access_log_encoding=encoding,
    )


def inbound_port(port: int, protocol: Protocol, mtls: MtlsMode) -> InboundPort:
    return InboundPort(port=port, protocol=protocol, service=REVIEWS, service_port=80, mtls=mtls, services=(REVIEWS,))


class Lab:
    """Certificates and Envoys of one test."""

    def __init__(self, directory: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.stack = stack
        self.authority = Authority()
        self.client_sds = self.authority.write(directory / "client-sds", CLIENT_ID)
        self.server_sds = self.authority.write(directory / "server-sds", SERVER_ID)
        self._patch = monkeypatch

    def server(
        self,
        *ports: InboundPort,
        policies: Policies = tcp.NO_POLICIES,
        mtls: MtlsMode = MtlsMode.PERMISSIVE,
        encoding: str = "TEXT",
        config: dict[str, Any] | None = None,
        more: Sequence[cluster_pb2.Cluster] = (),
        conduct: Conduct = DEFAULT_CONDUCT,
        mesh_mtls: TLSConfig | None = None,
    ) -> Envoy:
        """Envoy with the inbound side of a pod that serves these ports."""
        self._patch.setattr(tls, "SDS_DIRECTORY", str(self.server_sds))
        directory = self.directory / "server"
        mesh = structs.replace(mesh_config(directory / "access.log", encoding), mesh_mtls=mesh_mtls, **(config or {}))
        view = Inbound(key=1, mesh=mesh, namespace="bar", mtls=mtls, ports=ports, policies=policies, conduct=conduct)
        listener = inbound.listener(view)
        for number, port in enumerate(ports):
            address = listener.address if number == 0 else listener.additional_addresses.add().address
            address.socket_address.address, address.socket_address.port_value = SERVER_HOST, port.port
        return self._run(
            directory, [listener], [*inbound.clusters(view), *more], own("reviews-v2", "bar", "reviews", "v2")
        )

    def client(
        self, cluster: cluster_pb2.Cluster, listener: listener_pb2.Listener, *more: cluster_pb2.Cluster
    ) -> Envoy:
        return self._run(self.directory / "client", [listener], [cluster, *more], own("curl", "foo"))

    def _run(
        self,
        directory: Path,
        listeners: Sequence[listener_pb2.Listener],
        clusters: Sequence[cluster_pb2.Cluster],
        env: dict[str, str],
    ) -> Envoy:
        bootstrap = bootstrap_pb2.Bootstrap()
        bootstrap.static_resources.listeners.extend(listeners)
        bootstrap.static_resources.clusters.extend(clusters)
        if "BlackHoleCluster" not in {cluster.name for cluster in clusters}:
            bootstrap.static_resources.clusters.add(name="BlackHoleCluster").connect_timeout.seconds = 1
        return self.stack.enter_context(envoy(bootstrap, directory, env))

    def use_client_certificates(self) -> None:
        self._patch.setattr(tls, "SDS_DIRECTORY", str(self.client_sds))

    def call(self, port: int, data: bytes, alpn_offered: Sequence[str] | None = None) -> bytes:
        """Send ``data`` to the server's port, by mTLS if an ALPN is given, and read until it closes or pauses; b"" when refused."""
        try:
            with socket.create_connection((SERVER_HOST, port), timeout=5) as plain:
                connection = client_tls(self.client_sds, alpn_offered).wrap_socket(plain) if alpn_offered else plain
                with connection:
                    connection.sendall(data)
                    return _read(connection)
        except (ConnectionError, ssl.SSLError):
            return b""


def _read(connection: socket.socket) -> bytes:
    connection.settimeout(1.0)
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
            if answer.endswith(b"hello"):
                break
    except TimeoutError:
        pass
    return answer


def request(path: str = "/", method: str = "GET", host: str = "reviews", **headers: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"host: {host}",
        *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items()),
    ]
    return ("\r\n".join([*lines, "content-length: 0", "", ""])).encode()


def get(port: int, path: str = "/", **headers: str) -> int:
    """The status of one request to a client's own Envoy."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def tcp_listener(port: int, cluster: str, mesh: MeshConfig) -> listener_pb2.Listener:
    """A listener with the outbound TCP filters."""
    listener = listener_pb2.Listener(name="out")
    listener.address.socket_address.address, listener.address.socket_address.port_value = "127.0.0.1", port
    filters = tcp.filters(direction=Direction.OUTBOUND, stat_prefix=cluster, mesh=mesh, clusters=[(cluster, 1)])
    listener.filter_chains.add().filters.extend(filters)
    return listener


def outbound_listener(
    port: int,
    cluster: str,
    mesh: MeshConfig,
    name: str = "default",
    conduct: Conduct = DEFAULT_CONDUCT,
    direction: Direction = Direction.OUTBOUND,
    grpc: bool = False,
) -> listener_pb2.Listener:
    """A listener with the connection manager of a client and one route; without a cluster it answers 502 itself."""
    route = route_pb2.RouteConfiguration(name="80")
    host = route.virtual_hosts.add(name="v", domains=["*"])
    entry = host.routes.add(name=name)
    entry.match.prefix = "/"
    if cluster:
        entry.route.cluster = cluster
    else:
        entry.direct_response.status = 502
    listener = listener_pb2.Listener(name="out", traffic_direction=base_pb2.OUTBOUND)
    listener.address.socket_address.address, listener.address.socket_address.port_value = "127.0.0.1", port
    manager = hcm.http_connection_manager(
        direction=direction,
        stat_prefix="outbound_0.0.0.0_80;",
        mesh=mesh,
        route_config=route,
        conduct=conduct,
        grpc=grpc,
    )
    listener.filter_chains.add().filters.append(manager)
    return listener


def stranger_cluster(port: int, name: str = "PassthroughCluster", **facts: object) -> cluster_pb2.Cluster:
    """A cluster outside the mesh, on 127.0.0.1 in plain text."""
    cluster = cluster_pb2.Cluster(name=name)
    cluster.connect_timeout.seconds = 2
    if facts:
        cluster.metadata.filter_metadata["istio"].update(facts)
    cluster.load_assignment.cluster_name = name
    host = cluster.load_assignment.endpoints.add().lb_endpoints.add()
    host.endpoint.address.socket_address.address = "127.0.0.1"
    host.endpoint.address.socket_address.port_value = port
    return cluster


def mesh_cluster(port: int, protocols: Sequence[str] = alpn.HTTP11) -> cluster_pb2.Cluster:
    """``reviews`` as a client sees it: one meshed endpoint."""
    cluster = cluster_pb2.Cluster(name="outbound|80||reviews.bar.svc.cluster.local")
    cluster.connect_timeout.seconds = 2
    cluster.metadata.filter_metadata["istio"].update(
        {"services": [{"host": REVIEWS.hostname, "name": REVIEWS.name, "namespace": REVIEWS.namespace}]}
    )
    cluster.transport_socket.CopyFrom(
        tls.mesh_upstream_socket(sni="outbound_.80_._.reviews.bar.svc.cluster.local", sans=[SERVER_ID], alpn=protocols)
    )
    cluster.load_assignment.cluster_name = cluster.name
    host = cluster.load_assignment.endpoints.add().lb_endpoints.add()
    host.endpoint.address.socket_address.address = SERVER_HOST
    host.endpoint.address.socket_address.port_value = port
    host.metadata.filter_metadata["istio"].update(
        {
            "workload": "reviews-v2;bar;reviews;v2;Kubernetes",
            "workload_name": "reviews-v2",
            "workload_namespace": "bar",
            "canonical_name": "reviews",
            "canonical_revision": "v2",
            "cluster": "Kubernetes",
            "app": "reviews",
            "version": "v2",
        }
    )
    return cluster
