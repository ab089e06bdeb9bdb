"""The control plane's ports, spoken to by other people's clients: grpcio and aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER, SECRET, Resource, ResourceSet
from mizzen.proto.istio_ca import IstioCertificateRequest, IstioCertificateResponse
from tests.fakes.controlplane import ControlPlane, control_plane, csr_pem, pod, until, workload_credentials

WEB = pod("default", "web-0", account="web")
EDGE = pod("default", "edge-0", account="edge")
NODE = "sidecar~10.0.0.1~web-0.default~default.svc.cluster.local"
RESOURCES = ResourceSet.of([Resource.of(CLUSTER, "c", b"\n\x01c"), Resource.of(SECRET, "s", b"\n\x01s")])
CREATE = "/istio.v1.auth.IstioCertificateService/CreateCertificate"
STREAM = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"


def channel(mesh: ControlPlane, credentials: tuple[str, str] | None = None, *, port: int = 0) -> grpc.aio.Channel:
    """To 15012, or to ``port``."""
    key, certificate = (credentials[1].encode(), credentials[0].encode()) if credentials else (None, None)
    tls = grpc.ssl_channel_credentials(mesh.root.encode(), key, certificate)
    options = [("grpc.ssl_target_name_override", "istiod.istio-system.svc")]
    return grpc.aio.secure_channel(f"127.0.0.1:{port or mesh.ports.secure}", tls, options)


async def create(chan: grpc.aio.Channel, csr: str, token: str = "", seconds: int = 3600) -> list[str]:
    call = chan.unary_unary(
        CREATE,
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=IstioCertificateResponse.FromString,
    )
    metadata = [("authorization", f"Bearer {token}")] if token else []
    return list(
        (
            await call(IstioCertificateRequest(csr=csr, validity_duration=seconds), metadata=metadata, timeout=10)
        ).cert_chain
    )


def uris(pem: str) -> list[str]:
    names = x509.load_pem_x509_certificate(pem.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    return names.value.get_values_for_type(x509.UniformResourceIdentifier)


@pytest.mark.row("CA-01", "CA-02", "CA-03", "CA-04", "PO-13", "CR-06")
async def test_a_token_gets_a_certificate_with_its_own_identity_and_no_other(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,)) as mesh, channel(mesh) as chan:
        csr = csr_pem(ec.generate_private_key(ec.SECP256R1()), "spiffe://cluster.local/ns/kube-system/sa/admin")
        chain = await create(chan, csr, mesh.tokens.token("default", "web", "web-0"))
        assert len(chain) == 2
        assert uris(chain[0]) == ["spiffe://cluster.local/ns/default/sa/web"]
        assert chain[-1] == mesh.root


@pytest.mark.row("PO-13", "CR-06")
async def test_the_names_of_15012(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as mesh:
        pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", mesh.ports.secure))
    san = x509.load_pem_x509_certificate(pem.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = san.value.get_values_for_type(x509.DNSName)
    assert {f"{name}.istio-system.svc" for name in ("istiod", "istiod-remote", "istio-pilot")} <= set(names)


@pytest.mark.row("CA-05")
async def test_a_certificate_renews_itself_without_a_token(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,)) as mesh:
        mine = workload_credentials(mesh.state, Identity("cluster.local", "default", "web"))
        async with channel(mesh, mine) as chan:
            chain = await create(chan, csr_pem(ec.generate_private_key(ec.SECP256R1())))
        assert uris(chain[0]) == ["spiffe://cluster.local/ns/default/sa/web"]


@pytest.mark.row("CA-04", "CA-09", "CA-11", "CA-14")
async def test_what_is_refused_and_with_which_code(tmp_path: Path) -> None:
    csr = csr_pem(ec.generate_private_key(ec.SECP256R1()))
    code = grpc.StatusCode
    async with control_plane(tmp_path, objects=(WEB,)) as mesh, channel(mesh) as chan:
        good = mesh.tokens.token("default", "web", "web-0")
        cases: list[tuple[str, str, int, Any]] = [
            (csr, "", 0, code.UNAUTHENTICATED),
            (csr, "nonsense", 0, code.UNAUTHENTICATED),
            (csr, good[:-8] + "AAAAAAAA", 0, code.UNAUTHENTICATED),
            (csr, mesh.tokens.token("default", "web", "web-0", aud=["other"]), 0, code.UNAUTHENTICATED),
            (csr, mesh.tokens.token("default", "web", "web-0", exp=int(time.time()) - 5), 0, code.UNAUTHENTICATED),
            (csr, mesh.tokens.token("default", "web", "web-0", iss="https://elsewhere"), 0, code.UNAUTHENTICATED),
            (csr, mesh.tokens.token("default", "other", "web-0"), 0, code.UNAUTHENTICATED),
            (csr, mesh.tokens.token("default", "web", "web-0", uid="of an older pod"), 0, code.UNAUTHENTICATED),
            (csr, good, 91 * 86400, code.INVALID_ARGUMENT),
            ("no request", good, 0, code.INVALID_ARGUMENT),
        ]
        results = await asyncio.gather(*(create(chan, *case[:3]) for case in cases), return_exceptions=True)
        assert [getattr(result, "code", lambda: None)() for result in results] == [case[3] for case in cases]
        assert all(
            "pod" not in str(result.details()) for result in results[:8] if isinstance(result, grpc.aio.AioRpcError)
        )
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{mesh.ports.monitoring}/metrics") as response,
        ):
            text = await response.text()
        assert "citadel_server_csr_count 10.0" in text
        assert "citadel_server_authentication_failure_count 8.0" in text
        assert 'citadel_server_csr_sign_err_count{error="TTL_ERROR"} 1.0' in text
        assert 'citadel_server_csr_sign_err_count{error="CSR_ERROR"} 1.0' in text


@pytest.mark.row("CA-11", "CA-14")
async def test_an_authority_at_its_end_is_our_fault_and_not_the_callers(tmp_path: Path) -> None:
    settings = {"self_signed_ca_cert_ttl": timedelta(seconds=3), "root_check": timedelta(0)}
    csr = csr_pem(ec.generate_private_key(ec.SECP256R1()))
    async with control_plane(tmp_path, objects=(WEB,), **settings) as mesh, channel(mesh) as chan:
        token = mesh.tokens.token("default", "web", "web-0")
        # The channel is open before the root ends: no handshake could be made afterwards.
        await create(chan, csr, token)

        async def refused() -> grpc.StatusCode | None:
            try:
                await create(chan, csr, token)
            except grpc.aio.AioRpcError as error:
                # We ask too often while it lives.
                return error.code() if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED else None
            return None

        assert await until(refused) == grpc.StatusCode.INTERNAL
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{mesh.ports.monitoring}/metrics") as response,
        ):
            assert 'citadel_server_csr_sign_err_count{error="CERT_GEN_ERROR"}' in await response.text()


async def test_a_token_may_be_ahead_of_the_news_about_its_pod(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as mesh, channel(mesh) as chan, asyncio.TaskGroup() as group:
        csr = csr_pem(ec.generate_private_key(ec.SECP256R1()))
        asking = group.create_task(create(chan, csr, mesh.tokens.token("default", "web", "web-0")))
        await mesh.publish(ResourceSet(), put=(WEB,))
        assert uris((await asking)[0]) == ["spiffe://cluster.local/ns/default/sa/web"]


async def test_a_thousand_requests_are_signed_quickly(tmp_path: Path) -> None:
    pods = tuple(pod("default", f"web-{n}", account="web") for n in range(50))
    async with control_plane(tmp_path, objects=pods) as mesh, channel(mesh) as chan:
        csr = csr_pem(ec.generate_private_key(ec.SECP256R1()))
        tokens = [mesh.tokens.token("default", "web", f"web-{n}") for n in range(50)]
        async with asyncio.timeout(30):
            for _ in range(10):
                chains = await asyncio.gather(*(create(chan, csr, token) for token in tokens * 2))
                assert len({chain[0] for chain in chains}) == 100


async def first_response(
    chan: grpc.aio.Channel, node: str, type_url: str, token: str = "", secrets: tuple[str, ...] = ("s",)
) -> discovery_pb2.DiscoveryResponse:
    call = chan.stream_stream(
        STREAM,
        request_serializer=discovery_pb2.DiscoveryRequest.SerializeToString,
        response_deserializer=discovery_pb2.DiscoveryResponse.FromString,
    )
    names = secrets if type_url == SECRET else ()
    ended = asyncio.Event()

    async def requests() -> AsyncIterator[discovery_pb2.DiscoveryRequest]:
        yield discovery_pb2.DiscoveryRequest(node=base_pb2.Node(id=node), type_url=type_url, resource_names=names)
        await ended.wait()

    stream = call(requests(), metadata=[("authorization", f"Bearer {token}")] if token else [], timeout=5)
    response: Any = grpc.aio.EOF
    with contextlib.suppress(grpc.aio.AioRpcError):
        response = await stream.read()
    ended.set()
    if response == grpc.aio.EOF:
        raise grpc.aio.AioRpcError(
            await stream.code(), grpc.aio.Metadata(), grpc.aio.Metadata(), await stream.details()
        )
    stream.cancel()
    return response


@pytest.mark.row("XD-01", "XD-06")
async def test_state_of_the_world_by_grpcio_with_a_token(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,), resources=RESOURCES) as mesh, channel(mesh) as chan:
        token = mesh.tokens.token("default", "web", "web-0")
        response = await first_response(chan, NODE, CLUSTER, token)
        assert [r.value for r in response.resources] == [b"\n\x01c"]
        assert response.resources[0].type_url == CLUSTER
        assert [r.value for r in (await first_response(chan, NODE, SECRET, token)).resources] == [b"\n\x01s"]


@pytest.mark.row("XD-01", "XD-06")
@pytest.mark.parametrize(
    ("node", "token", "code"),
    [
        (NODE, False, grpc.StatusCode.UNAUTHENTICATED),
        ("", True, grpc.StatusCode.INVALID_ARGUMENT),
        ("waypoint~1~a.b~c", True, grpc.StatusCode.INVALID_ARGUMENT),
        ("sidecar~10.0.0.1~x.prod~prod.svc.cluster.local", True, grpc.StatusCode.PERMISSION_DENIED),
        ("router~10.0.0.9~edge-0.default~default.svc.cluster.local", True, grpc.StatusCode.PERMISSION_DENIED),
    ],
)
async def test_streams_that_are_refused(tmp_path: Path, node: str, token: bool, code: grpc.StatusCode) -> None:
    async with control_plane(tmp_path, objects=(WEB, EDGE), resources=RESOURCES) as mesh, channel(mesh) as chan:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await first_response(chan, node, CLUSTER, mesh.tokens.token("default", "web", "web-0") if token else "")
        assert caught.value.code() == code
        assert mesh.hub.connections == {}


@pytest.mark.row("CG-03")
async def test_a_caller_that_names_no_pod_we_know_gets_no_secrets(tmp_path: Path) -> None:
    made_up = "router~10.0.0.9~made-up.default~default.svc.cluster.local"
    async with control_plane(tmp_path, objects=(WEB,), resources=RESOURCES) as mesh, channel(mesh) as chan:
        token = mesh.tokens.token("default", "web", "web-0")
        assert list((await first_response(chan, made_up, SECRET, token)).resources) == []
        assert [r.value for r in (await first_response(chan, NODE, SECRET, token)).resources] == [b"\n\x01s"]


@pytest.mark.row("CG-03", "DR-46", "DR-48")
async def test_a_proved_caller_without_a_pod_gets_paths_of_its_own_files_and_public_roots(tmp_path: Path) -> None:
    names = ("file-root:system", "file-cert:/c~/k", "configmap://a/roots-cacert", "kubernetes://a")
    made = ResourceSet.of(Resource.of(SECRET, name, secret_pb2.Secret(name=name).SerializeToString()) for name in names)
    machine = "sidecar~192.0.2.9~vm.default~default.svc.cluster.local"
    async with control_plane(tmp_path, objects=(WEB,), resources=made) as mesh, channel(mesh) as chan:
        token = mesh.tokens.token("default", "web", "web-0")
        given = (await first_response(chan, machine, SECRET, token, names)).resources
        assert sorted(secret_pb2.Secret.FromString(found.value).name for found in given) == sorted(names[:3])


@pytest.mark.row("PO-12", "CA-02", "CG-03", "XD-06")
async def test_plaintext_has_discovery_without_secrets_and_no_ca(tmp_path: Path) -> None:
    async with (
        control_plane(tmp_path, objects=(WEB,), resources=RESOURCES) as mesh,
        grpc.aio.insecure_channel(f"127.0.0.1:{mesh.ports.plaintext}") as chan,
    ):
        assert [r.value for r in (await first_response(chan, NODE, CLUSTER)).resources] == [b"\n\x01c"]
        assert list((await first_response(chan, NODE, SECRET)).resources) == []
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await create(chan, "x", "y")
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def https(mesh: ControlPlane) -> tuple[aiohttp.ClientSession, str]:
    context = ssl.create_default_context(cadata=mesh.root)
    client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), raise_for_status=False)
    return client, f"https://127.0.0.1:{mesh.ports.https}"


@pytest.mark.row("PO-15")
async def test_agents_get_certificates_and_roots_over_https(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,)) as mesh:
        client, base = https(mesh)
        token = {"authorization": f"Bearer {mesh.tokens.token('default', 'web', 'web-0')}"}
        body = {"csr": csr_pem(ec.generate_private_key(ec.SECP256R1())), "ttl_seconds": 20}
        async with client:
            async with client.post(f"{base}/agent/v1/certificate", json=body) as response:
                assert response.status == 401
            async with client.post(f"{base}/agent/v1/certificate", json=body, headers=token) as response:
                assert response.status == 200
                answer = await response.json()
            assert uris(answer["cert_chain"][0]) == ["spiffe://cluster.local/ns/default/sa/web"]
            assert answer["roots"] == [mesh.root]
            assert 15 < answer["not_after"] - time.time() <= 20
            for bad in ({**body, "ttl_seconds": 10**9}, {**body, "ttl_seconds": "x"}, {"csr": 1}, ["x"]):
                async with client.post(f"{base}/agent/v1/certificate", json=bad, headers=token) as response:
                    assert response.status == 400
            async with client.get(f"{base}/agent/v1/watch", headers=token) as response:
                assert (await response.json())["roots"] == [mesh.root]
            async with client.get(f"{base}/agent/v1/watch") as response:
                assert response.status == 401
            async with client.post(f"{base}/agent/v1/health", json={"ready": True}, headers=token) as response:
                assert response.status == 200
            async with client.get(f"{base}/ready") as response:
                assert response.status == 200


@pytest.mark.row("PO-11", "PO-14", "DBG-01", "CR-01")
async def test_http_ports(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,)) as mesh, aiohttp.ClientSession() as client:
        for port, path in (
            (mesh.ports.http, "/ready"),
            (mesh.ports.monitoring, "/version"),
            (mesh.ports.monitoring, "/debug/configz"),
        ):
            async with client.get(f"http://127.0.0.1:{port}{path}") as response:
                assert response.status == 200
        async with client.get(f"http://127.0.0.1:{mesh.ports.monitoring}/v1/resources?proxy=x") as response:
            assert response.status == 404
        assert (mesh.debug_socket.stat().st_mode & 0o777) == 0o600
        assert ((mesh.state / "ca.pem").stat().st_mode & 0o777) == 0o600
        assert ((mesh.state / "root-cert.pem").stat().st_mode & 0o777) == 0o644
        key = x509.load_pem_x509_certificate(mesh.root.encode()).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
