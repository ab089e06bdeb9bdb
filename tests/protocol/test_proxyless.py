"""gRPC's own xDS client and server against our control plane (row XD-20)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from mizzen.model.identity import Identity
from mizzen.model.resources import ResourceSet
from mizzen.resolve import view
from mizzen.translate import resources
from tests.envoy.loopback import free_port
from tests.fakes.controlplane import ControlPlane, control_plane, until, workload_credentials
from tests.fakes.proxyless import bootstrap
from tests.scenes import Scene

PROGRAM = Path(__file__).parents[1] / "fakes" / "proxyless.py"
NODE = "sidecar~127.0.0.1~web-0.shop~shop.svc.cluster.local"
INSECURE = {"channel_creds": [{"type": "insecure"}]}
TARGET = "xds:///echo.shop.svc.cluster.local:7000"


def echo(port: int) -> str:
    """A Service of two versions, at two loopback addresses."""
    pods = "".join(
        f"""
---
apiVersion: v1
kind: Pod
metadata: {{name: echo-{v}, namespace: shop, labels: {{app: echo, version: {v}, security.istio.io/tlsMode: istio}}}}
spec: {{serviceAccountName: echo, containers: [{{name: app, image: x, ports: [{{containerPort: {port}}}]}}]}}
status: {{podIP: {address}, phase: Running}}
"""
        for v, address in (("v1", "127.0.0.1"), ("v2", "127.0.0.2"))
    )
    return f"""{pods}
---
apiVersion: v1
kind: Service
metadata: {{name: echo, namespace: shop}}
spec: {{clusterIP: 10.96.7.7, selector: {{app: echo}}, ports: [{{name: grpc, port: 7000, targetPort: {port}}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: echo-1, namespace: shop, labels: {{kubernetes.io/service-name: echo}}}}
addressType: IPv4
ports: [{{name: grpc, port: {port}}}]
endpoints: [{{addresses: [127.0.0.1], conditions: {{ready: true}}}}, {{addresses: [127.0.0.2], conditions: {{ready: true}}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: echo, namespace: shop}}
spec:
  host: echo
  subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]
"""


SPLIT = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo, namespace: shop}
spec:
  hosts: [echo]
  http:
    - match: [{headers: {x-user: {exact: jason}}}]
      route: [{destination: {host: echo, subset: v2}}]
    - match: [{headers: {x-user: {prefix: nobody}}}]
      fault: {abort: {percentage: {value: 100}, grpcStatus: UNAVAILABLE}}
      route: [{destination: {host: echo, subset: v1}}]
    - match: [{headers: {x-user: {exact: lost}}}]
      route: [{destination: {host: echo, subset: v3}}]
    - route:
        - {destination: {host: echo, subset: v1}, weight: 90}
        - {destination: {host: echo, subset: v2}, weight: 10}
"""


def made(text: str, where: str = "shop/web-0") -> ResourceSet:
    """What a gRPC application in a pod of the scene gets."""
    scene = Scene(text)
    proxy = replace(scene.proxy(where), flags={"GENERATOR": "grpc"})
    return resources(view(scene.snapshot, proxy))


@pytest.fixture
def port() -> Iterator[int]:
    """Where two servers answer, each with its version."""
    number = free_port("0.0.0.0")
    places = (("127.0.0.1", "v1"), ("127.0.0.2", "v2"))
    commands = [[sys.executable, str(PROGRAM), "plain", f"{address}:{number}", name] for address, name in places]
    with contextlib.ExitStack() as running:
        for command in commands:
            process = running.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            running.callback(process.terminate)
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
        yield number


@asynccontextmanager
async def program(directory: Path, text: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    file = directory / "bootstrap.json"
    file.write_text(text)
    environment = {**os.environ, "GRPC_XDS_BOOTSTRAP": str(file), "GRPC_EXPERIMENTAL_XDS_BOOTSTRAP_CALL_CREDS": "true"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def answers(
    mesh: ControlPlane, directory: Path, *arguments: str, verb: str = "client", **more: object
) -> list[str]:
    """What a client prints that is told of our plaintext port."""
    text = bootstrap(f"127.0.0.1:{mesh.ports.plaintext}", NODE, INSECURE, **more)
    async with program(directory, text, verb, *arguments) as process, asyncio.timeout(60):
        out, _ = await process.communicate()
    return out.decode().splitlines()


@pytest.mark.row("XD-20")
async def test_a_target_is_resolved_and_balanced(tmp_path: Path, port: int) -> None:
    async with control_plane(tmp_path, resources=made(echo(port))) as mesh:
        for target in (TARGET, "xds:///echo:7000", "xds:///echo.shop:7000"):
            seen = Counter(await answers(mesh, tmp_path, target, "40"))
            assert seen.keys() == {"v1", "v2"}, target
            assert seen["v1"] >= 15, "they take turns as soon as both are connected"


@pytest.mark.row("XD-20")
async def test_weights_headers_and_faults_are_followed(tmp_path: Path, port: int) -> None:
    async with control_plane(tmp_path, resources=made(echo(port) + SPLIT)) as mesh:
        split = Counter(await answers(mesh, tmp_path, TARGET, "400"))
        assert split.keys() == {"v1", "v2"}
        assert 15 <= split["v2"] <= 70
        assert set(await answers(mesh, tmp_path, TARGET, "10", "x-user=jason")) == {"v2"}
        assert set(await answers(mesh, tmp_path, TARGET, "2", "x-user=nobody1")) == {"UNAVAILABLE: Fault injected"}
        lost = await answers(mesh, tmp_path, TARGET, "1", "x-user=lost")
        assert lost[0].startswith("UNAVAILABLE")


@pytest.mark.row("XD-20")
async def test_a_change_reaches_a_running_client(tmp_path: Path, port: int) -> None:
    moved = SPLIT.replace("weight: 90", "weight: 0").replace("weight: 10", "weight: 100")
    async with control_plane(tmp_path, resources=made(echo(port) + SPLIT)) as mesh:
        text = bootstrap(f"127.0.0.1:{mesh.ports.plaintext}", NODE, INSECURE)
        async with program(tmp_path, text, "client", TARGET, "100000") as process:
            assert process.stdout is not None
            assert (await process.stdout.readline()).strip() in (b"v1", b"v2")
            await mesh.publish(made(echo(port) + moved))
            seen: list[bytes] = []
            async with asyncio.timeout(15):
                while seen[-100:].count(b"v2\n") < 100:
                    seen.append(await process.stdout.readline())


@pytest.mark.row("XD-20")
async def test_a_server_serves_by_mtls_and_policies(tmp_path: Path) -> None:
    """A STRICT server takes a client with a certificate of the mesh, no other, and no caller that a policy denies."""
    number = free_port("0.0.0.0")
    strict = """
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: secure, namespace: shop}
spec: {host: echo, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: echo, namespace: shop}
spec:
  selector: {matchLabels: {app: echo}}
  rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}], to: [{operation: {paths: ["/proto.*"]}}]}]
"""
    first = echo(number).replace(", {addresses: [127.0.0.2], conditions: {ready: true}}", "")
    scene = (
        first.replace("kind: DestinationRule\nmetadata: {name: echo", "kind: DestinationRule\nmetadata: {name: zz")
        + strict
    )
    async with control_plane(tmp_path, resources=made(scene, "shop/echo-v1")) as mesh:
        server, web, other = (
            provider(tmp_path / name, mesh, Identity("cluster.local", "shop", name))
            for name in ("echo", "web", "other")
        )
        text = bootstrap(f"127.0.0.1:{mesh.ports.plaintext}", NODE.replace("web-0", "echo-v1"), INSECURE, **server)
        async with program(tmp_path / "echo", text, "server", f"0.0.0.0:{number}", "v1") as process:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                assert await process.stdout.readline() == b"started\n"

            async def taken() -> bool:
                return await answers(mesh, tmp_path / "web", TARGET, "1", verb="mtls", **web) == ["v1"]

            await until(taken, 30)
            denied = await answers(mesh, tmp_path / "other", TARGET, "1", verb="mtls", **other)
            assert denied[0].startswith("PERMISSION_DENIED")
            plain = await answers(mesh, tmp_path / "other", TARGET, "1", **other)
            assert plain[0].startswith("UNAVAILABLE")


def provider(directory: Path, mesh: ControlPlane, identity: Identity) -> dict[str, object]:
    """The certificate files of one application, as its bootstrap names them."""
    directory.mkdir()
    certificate, key = workload_credentials(mesh.state, identity)
    files = {"certificate_file": certificate, "private_key_file": key, "ca_certificate_file": mesh.root}
    for name, pem in files.items():
        (directory / name).write_text(pem)
    config = {name: str(directory / name) for name in files} | {"refresh_interval": "600s"}
    return {"certificate_providers": {"default": {"plugin_name": "file_watcher", "config": config}}}
