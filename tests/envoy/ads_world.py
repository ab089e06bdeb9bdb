"""An Envoy that is a client of our discovery service, small resources for it, and what it leads to."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import address_pb2, config_source_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from google.protobuf import any_pb2, duration_pb2

from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource
from tests.envoy.loopback import envoy_binary, free_port
from tests.fakes.controlplane import until, workload_credentials

NODE = "sidecar~127.0.0.1~web-0.default~default.svc.cluster.local"


def resource(type_url: str, name: str, message: Any) -> Resource:
    return Resource.of(type_url, name, message.SerializeToString(deterministic=True))


def pack(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def address(port: int) -> address_pb2.Address:
    return address_pb2.Address(socket_address=address_pb2.SocketAddress(address="127.0.0.1", port_value=port))


ADS = config_source_pb2.ConfigSource(ads={}, resource_api_version="V3")


def cluster(name: str, timeout: int = 1) -> Resource:
    return resource(
        CLUSTER,
        name,
        cluster_pb2.Cluster(
            name=name,
            type=cluster_pb2.Cluster.EDS,
            eds_cluster_config=cluster_pb2.Cluster.EdsClusterConfig(eds_config=ADS, service_name=name),
            connect_timeout=duration_pb2.Duration(seconds=timeout),
        ),
    )


def endpoints(name: str, port: int) -> Resource:
    lb = endpoint_components_pb2.LbEndpoint(endpoint=endpoint_components_pb2.Endpoint(address=address(port)))
    return resource(
        ENDPOINT,
        name,
        endpoint_pb2.ClusterLoadAssignment(
            cluster_name=name, endpoints=[endpoint_components_pb2.LocalityLbEndpoints(lb_endpoints=[lb])]
        ),
    )


def listener(name: str, port: int, route: str) -> Resource:
    manager = hcm_pb2.HttpConnectionManager(
        stat_prefix="x",
        rds=hcm_pb2.Rds(config_source=ADS, route_config_name=route),
        http_filters=[hcm_pb2.HttpFilter(name="router", typed_config=pack(router_pb2.Router()))],
    )
    chain = listener_components_pb2.FilterChain(
        filters=[listener_components_pb2.Filter(name="hcm", typed_config=pack(manager))]
    )
    return resource(LISTENER, name, listener_pb2.Listener(name=name, address=address(port), filter_chains=[chain]))


def broken_listener(name: str) -> Resource:
    """Envoy refuses it: no such filter."""
    bad = any_pb2.Any(type_url="type.googleapis.com/envoy.config.core.v3.Node")
    chain = listener_components_pb2.FilterChain(
        filters=[listener_components_pb2.Filter(name="no-such-filter", typed_config=bad)]
    )
    return resource(
        LISTENER, name, listener_pb2.Listener(name=name, address=address(free_port()), filter_chains=[chain])
    )


def route(name: str, target: str) -> Resource:
    host = route_components_pb2.VirtualHost(
        name="all",
        domains=["*"],
        routes=[
            route_components_pb2.Route(
                match=route_components_pb2.RouteMatch(prefix="/"),
                route=route_components_pb2.RouteAction(cluster=target),
            )
        ],
    )
    return resource(
        ROUTE, name, route_pb2.RouteConfiguration(name=name, virtual_hosts=[host], validate_clusters={"value": False})
    )


class Credentials(NamedTuple):
    """The control plane's state directory and port."""

    state: Path
    port: int


def bootstrap(directory: Path, mesh: Credentials) -> Path:
    certificate, key = workload_credentials(mesh.state, Identity("cluster.local", "default", "default"))
    secret = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    sds = directory / "sds"
    sds.mkdir(exist_ok=True)
    chain = {"certificate_chain": {"inline_string": certificate}, "private_key": {"inline_string": key}}
    (sds / "default.json").write_text(
        json.dumps({"resources": [{"@type": secret, "name": "default", "tls_certificate": chain}]})
    )
    trusted = {"trusted_ca": {"inline_string": (mesh.state / "root-cert.pem").read_text()}}
    (sds / "ROOTCA.json").write_text(
        json.dumps({"resources": [{"@type": secret, "name": "ROOTCA", "validation_context": trusted}]})
    )

    def source(name: str) -> dict[str, Any]:
        path = {"path": str(sds / f"{name}.json"), "watched_directory": {"path": str(sds)}}
        return {"name": name, "sds_config": {"path_config_source": path, "resource_api_version": "V3"}}

    tls = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": "istiod.istio-system.svc",
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_certificate_sds_secret_configs": [source("default")],
            "combined_validation_context": {
                "default_validation_context": {
                    "match_typed_subject_alt_names": [
                        {"san_type": "DNS", "matcher": {"exact": "istiod.istio-system.svc"}}
                    ]
                },
                "validation_context_sds_secret_config": source("ROOTCA"),
            },
        },
    }
    endpoint = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": mesh.port}}}
    ads = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    document = {
        "node": {
            "id": NODE,
            "cluster": "web.default",
            "metadata": {"NAMESPACE": "default", "SERVICE_ACCOUNT": "default"},
        },
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}],
            },
            "cds_config": ads,
            "lds_config": ads,
        },
        "static_resources": {
            "clusters": [
                {
                    "name": "xds-grpc",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "load_assignment": {
                        "cluster_name": "xds-grpc",
                        "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
                    },
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                            "explicit_http_config": {"http2_protocol_options": {}},
                        }
                    },
                    "transport_socket": {"name": "tls", "typed_config": tls},
                }
            ]
        },
    }
    path = directory / "bootstrap.json"
    path.write_text(json.dumps(document))
    return path


@asynccontextmanager
async def running_envoy(directory: Path, mesh: Credentials) -> AsyncIterator[str]:
    """A real Envoy connected to ``mesh``; the base URL of its admin port."""
    admin = directory / "admin"
    log = (directory / "envoy.log").open("w")
    arguments = [
        "-c",
        str(bootstrap(directory, mesh)),
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "--admin-address-path",
        str(admin),
    ]
    process = subprocess.Popen(  # noqa: ASYNC220 - quick
        [str(envoy_binary()), *arguments, "-l", "info"], stdout=log, stderr=log, env={**os.environ}
    )
    try:
        await until(lambda: admin.exists() and admin.read_text())
        yield f"http://{admin.read_text()}"
    finally:
        process.terminate()
        process.wait(10)
        log.close()


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status, await response.text()


@asynccontextmanager
async def backend(name: str) -> AsyncIterator[int]:
    async def hello(_: aiohttp.web.BaseRequest) -> aiohttp.web.Response:
        return aiohttp.web.Response(text=name)

    runner = aiohttp.web.ServerRunner(aiohttp.web.Server(hello), shutdown_timeout=0.1)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    finally:
        await runner.cleanup()
