"""A control plane on loopback whose pure core is a value: whatever ``ControlPlane.resources`` holds is what proxies get."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.api.kubernetes import Container, Pod, PodSpec
from mizzen.api.meta import Object, ObjectMeta
from mizzen.model.config import Config
from mizzen.model.identity import Identity
from mizzen.model.proxy import Proxy
from mizzen.model.resources import ResourceSet
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import ProxyView, Scope
from mizzen.pki import load, sign_workload
from mizzen.server.authenticate import ISSUER
from mizzen.server.control import Options, Ports, control
from mizzen.server.hub import Compiler, Hub
from mizzen.server.registration import Entries
from mizzen.settings import Settings

DEADLINE = 15.0


def pod(
    namespace: str, name: str, *, uid: str = "uid-1", account: str = "default", labels: dict[str, str] | None = None
) -> Object:
    return Object(
        kind="Pod",
        meta=ObjectMeta(name=name, namespace=namespace, uid=uid, labels=labels or {}),
        body=Pod(spec=PodSpec(service_account_name=account, containers=(Container(name="app"),))),
    )


class Tokens:
    """Signs tokens as the lab does."""

    def __init__(self, path: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = path
        numbers = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        path.write_text(json.dumps({"keys": [{**numbers, "kid": "k1", "use": "sig", "alg": "ES256"}]}))

    def token(self, namespace: str, account: str, name: str, uid: str = "uid-1", **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "aud": ["istio-ca"],
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            "kubernetes.io": {
                "namespace": namespace,
                "pod": {"name": name, "uid": uid},
                "serviceaccount": {"name": account, "uid": "s"},
            },
        }
        return jwt.encode({**claims, **changes}, self._key, algorithm="ES256", headers={"kid": "k1"})


def csr_pem(key: ec.EllipticCurvePrivateKey, san: str = "") -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if san:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(san)]), critical=False
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class ControlPlane:
    state: Path
    tokens: Tokens
    configs: asyncio.Queue[Config]
    config: Config
    ports: Ports
    hub: Hub
    world: dict[str, ResourceSet]

    @property
    def debug_socket(self) -> Path:
        return self.state / "debug.sock"

    @property
    def root(self) -> str:
        return (self.state / "root-cert.pem").read_text()

    async def publish(self, resources: ResourceSet, *, put: tuple[Object, ...] = ()) -> int:
        """A new snapshot in which every proxy has ``resources``. Returns the revision."""
        self.world["*"] = resources
        self.config = replace(self.config.with_objects(put), revision=self.config.revision + 1)
        await self.configs.put(self.config)
        return self.config.revision


def workload_credentials(state: Path, identity: Identity) -> tuple[str, str]:
    """Certificate and key of a workload, as PEM, signed by the CA of ``state``."""
    key = ec.generate_private_key(ec.SECP256R1())
    key_pem, mark, cert = (state / "ca.pem").read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
    authority = load(mark + cert, key_pem, mark + cert)
    now = datetime.datetime.now(datetime.UTC)
    issued = sign_workload(authority, key.public_key(), identity, ttl=datetime.timedelta(hours=1), now=now, serial=7)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return "".join(issued.leaf_and_intermediates), pem.decode()


@asynccontextmanager
async def control_plane(
    directory: Path,
    *,
    ports: Ports | None = None,
    objects: tuple[Object, ...] = (),
    resources: ResourceSet | None = None,
    core: Compiler | None = None,
    entries: Entries | None = None,
    connection_age: float = 0.0,
    **settings: Any,
) -> AsyncIterator[ControlPlane]:
    state = directory / "state"
    state.mkdir(exist_ok=True)
    tokens = Tokens(directory / "jwks.json")
    queue: asyncio.Queue[Config] = asyncio.Queue()
    world = {"*": resources or ResourceSet()}

    async def configs() -> AsyncIterator[Config]:
        while True:
            yield await queue.get()

    def view(snapshot: Snapshot, proxy: Proxy, previous: ProxyView | None) -> ProxyView:
        return ProxyView(
            Scope(key=proxy.namespace, snapshot=snapshot, proxy_type=proxy.type, namespace=proxy.namespace)
        )

    core = core or Compiler(
        lambda config, previous: Snapshot(config=config, mesh=config.mesh), view, lambda of: world["*"]
    )
    options = Options(
        socket=directory / "none",
        state=state,
        debug_socket=state / "debug.sock",
        token_jwks=tokens.path,
        bind="127.0.0.1",
        address="127.0.0.1",
        connection_age=connection_age,
        ports=ports or Ports(secure=0, plaintext=0, monitoring=0, https=0, http=0),
    )
    stop, ready = asyncio.Event(), asyncio.Event()
    told: list[tuple[Ports, Hub]] = []

    def started(listening: Ports, hub: Hub) -> None:
        told.append((listening, hub))
        ready.set()

    config = Config(revision=1).with_objects(objects)
    await queue.put(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(control(options, Settings(**settings), core, configs(), stop, started, entries))
        async with asyncio.timeout(DEADLINE):
            await ready.wait()
        try:
            yield ControlPlane(state, tokens, queue, config, told[0][0], told[0][1], world)
        finally:
            stop.set()


async def until(condition: Any, seconds: float = DEADLINE) -> Any:
    """Poll ``condition`` (sync or async) until it is true; its value."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.02)
