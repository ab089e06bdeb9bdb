"""Fetching token keys from a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mizzen.api.kubernetes import ConfigMap
from mizzen.api.meta import Object, ObjectMeta
from mizzen.model.config import Config
from mizzen.model.jwks import FetchedKeys, KeySource
from mizzen.observe import Metrics
from mizzen.server.jwks import KeyStore, cluster_address
from tests.meshes import SECURITY, new, service

KEYS = {"keys": [{"kty": "oct", "k": "eA"}]}


class Issuer:
    """Answers ``/jwks`` with ``document`` and counts."""

    def __init__(self) -> None:
        self.document: object = KEYS
        self.asked = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def jwks(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.document)

    async def discovery(self, _: web.Request) -> web.Response:
        return web.json_response({"jwks_uri": f"{self.url}/jwks"})

    async def slow(self, _: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def elsewhere(self, _: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer, app = Issuer(), web.Application()
    app.router.add_get("/jwks", issuer.jwks)
    app.router.add_get("/.well-known/openid-configuration", issuer.discovery)
    app.router.add_get("/elsewhere", issuer.elsewhere)
    app.router.add_get("/slow", issuer.slow)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.port = runner.addresses[0][1]
    yield issuer
    await runner.cleanup()


def wanting(*rules: dict[str, object]) -> Config:
    return Config().with_objects([new(SECURITY, "RequestAuthentication", "a", "tokens", {"jwtRules": list(rules)})])


class Running:
    def __init__(self, store: KeyStore, changed: asyncio.Event) -> None:
        self.store, self.changed = store, changed

    async def next(self) -> None:
        async with asyncio.timeout(5):
            await self.changed.wait()
        self.changed.clear()


@asynccontextmanager
async def running(config: Config, metrics: Metrics, **options: object) -> AsyncIterator[Running]:
    changed = asyncio.Event()
    store = KeyStore(metrics, changed.set, **options)  # type: ignore[arg-type]
    store.want(config)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.run())
        yield Running(store, changed)
        task.cancel()


def count(metrics: Metrics, name: str) -> float:
    return metrics.registry.get_sample_value(f"pilot_jwks_resolver_network_fetch_{name}_total") or 0.0


@pytest.mark.row("RA-05")
async def test_keys_come_from_the_uri_or_from_discovery_and_are_counted(issuer: Issuer) -> None:
    metrics = Metrics()
    config = wanting({"issuer": "x", "jwksUri": f"{issuer.url}/jwks"}, {"issuer": f"{issuer.url}/"})
    async with running(config, metrics) as store:
        await store.store.tried(5)
        found = store.store.current
    assert {source: json.loads(keys.text) for source, keys in found.items()} == {
        KeySource("x", f"{issuer.url}/jwks"): KEYS,
        KeySource(f"{issuer.url}/", ""): KEYS,
    }
    assert count(metrics, "success") == 2


@pytest.mark.row("RA-05")
async def test_one_issuer_that_fails_disturbs_no_other_and_comes_back(issuer: Issuer) -> None:
    metrics = Metrics()
    good, bad = f"{issuer.url}/jwks", f"{issuer.url}/nothing"
    config = wanting({"issuer": "good", "jwksUri": good}, {"issuer": "bad", "jwksUri": bad})
    async with running(config, metrics) as store:
        await store.store.tried(5)
        found = store.store.current
        assert found[KeySource("good", good)].text
        assert found[KeySource("bad", bad)] == FetchedKeys(error=f"{bad} answered 404")
    assert count(metrics, "fail") >= 1


@pytest.mark.row("RA-05")
async def test_a_slow_issuer_delays_no_other(issuer: Issuer) -> None:
    good, slow = f"{issuer.url}/jwks", f"{issuer.url}/slow"
    config = wanting({"issuer": "slow", "jwksUri": slow}, {"issuer": "good", "jwksUri": good})
    async with running(config, Metrics()) as store:
        await store.next()
        assert store.store.current[KeySource("good", good)].text
        assert not store.store.current[KeySource("slow", slow)].text
        store.store.want(wanting({"issuer": "slow", "jwksUri": slow}, {"issuer": "later", "jwksUri": good}))
        await store.next()
        assert store.store.current[KeySource("later", good)].text
        begin = asyncio.get_running_loop().time()
        await store.store.tried(0.05)
        assert asyncio.get_running_loop().time() - begin < 2


@pytest.mark.row("RA-05")
async def test_new_keys_are_noticed_and_old_ones_outlive_a_failure(issuer: Issuer) -> None:
    uri = f"{issuer.url}/jwks"
    source = KeySource("x", uri)
    async with running(wanting({"issuer": "x", "jwksUri": uri}), Metrics(), refresh=0.02) as store:
        await store.next()
        issuer.document = {"keys": [{"kty": "oct", "k": "eQ"}]}
        await store.next()
        assert "eQ" in store.store.current[source].text
        issuer.document = {"nothing": 1}
        await store.next()
        assert "eQ" in store.store.current[source].text
        assert store.store.current[source].error == "the answer has no keys"


@pytest.mark.row("RA-19")
@pytest.mark.parametrize("uri", ["http://169.254.169.254/jwks", "http://[::ffff:169.254.169.254]/jwks", "{}/elsewhere"])
async def test_addresses_of_machines_credentials_are_never_asked(issuer: Issuer, uri: str) -> None:
    uri = uri.format(issuer.url)
    async with running(wanting({"issuer": "x", "jwksUri": uri}), Metrics()) as store:
        await store.next()
        keys = store.store.current[KeySource("x", uri)]
    assert keys.text == ""
    assert "169.254.169.254 is an address that keys are not fetched from" in keys.error


@pytest.mark.row("RA-19")
async def test_listed_networks_are_blocked_too(issuer: Issuer) -> None:
    uri = f"{issuer.url}/jwks"
    async with running(wanting({"issuer": "x", "jwksUri": uri}), Metrics(), blocked=("127.0.0.0/8",)) as store:
        await store.next()
        assert store.store.current[KeySource("x", uri)].text == ""
    assert issuer.asked == 0


async def test_what_nobody_wants_is_forgotten_and_inline_keys_are_not_fetched(issuer: Issuer) -> None:
    uri = f"{issuer.url}/jwks"
    async with running(wanting({"issuer": "x", "jwksUri": uri}), Metrics()) as store:
        await store.next()
        store.store.want(wanting({"issuer": "y", "jwks": "{}"}, {"issuer": "z", "jwksUri": uri}))
        await store.next()
        assert list(store.store.current) == [KeySource("z", uri)]


@pytest.mark.parametrize("host", ["web.a", "web.a.svc", "web.a.svc.cluster.local", "WEB.a.svc.cluster.local."])
def test_services_of_the_mesh_are_found_by_their_names(host: str) -> None:
    config = Config().with_objects([service("web", "a", 7, [{"name": "http", "port": 80}])])
    assert cluster_address(config, host) == "10.96.0.7"
    assert cluster_address(replace(config, domain="other"), "web.a.svc.cluster.local") is None
    assert cluster_address(config, "example.com") is None


@pytest.fixture
async def private_issuer(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """Over TLS, with a certificate of nobody's: its URI and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(private + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    app = web.Application()
    app.router.add_get("/jwks", Issuer().jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://localhost:{runner.addresses[0][1]}/jwks", certificate.decode()
    await runner.cleanup()


@pytest.mark.row("RA-20")
@pytest.mark.parametrize("how", ["nothing", "extra root", "unverified", "rubbish"])
async def test_an_issuer_with_a_root_of_its_own(private_issuer: tuple[str, str], how: str) -> None:
    uri, certificate = private_issuer
    config = wanting({"issuer": "x", "jwksUri": uri})
    if how in ("extra root", "rubbish"):
        pem = certificate if how == "extra root" else "no certificate"
        meta = ObjectMeta(name="pilot-jwks-extra-cacerts", namespace="istio-system")
        config = config.with_objects([Object(kind="ConfigMap", meta=meta, body=ConfigMap(data={"extra.pem": pem}))])
    async with running(config, Metrics(), unverified=how == "unverified") as store:
        await store.next()
        keys = store.store.current[KeySource("x", uri)]
    assert bool(keys.text) == (how in ("extra root", "unverified"))
    assert bool(keys.error) == (how in ("nothing", "rubbish"))
