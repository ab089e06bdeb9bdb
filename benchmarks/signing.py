"""How long the authority takes for 1,000 certificate requests on one core, each from a pod of its own with its own token.

What is measured is all that the control plane does for one: the token's signature and its pod, the request's signature,
the new certificate. Both kinds of CA key are tried. Exit code 1 when one takes 5 s or longer. Needs no root.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from benchmarks.mesh import Measured
from mizzen.api.kubernetes import Container, Pod, PodSpec
from mizzen.api.meta import Object, ObjectMeta
from mizzen.model.config import Config
from mizzen.observe import Metrics
from mizzen.pki import Lifetimes, SigningKey, self_signed
from mizzen.server.authenticate import ISSUER, Authenticator
from mizzen.server.ca import Issuer

REQUESTS = 1000
LIMIT_S = 5.0


def pods() -> list[Object]:
    """As many pods as there are requests."""
    spec = PodSpec(service_account_name="web", containers=(Container(name="app"),))
    return [
        Object(kind="Pod", meta=ObjectMeta(name=f"web-{n}", namespace="shop", uid=f"uid-{n}"), body=Pod(spec=spec))
        for n in range(REQUESTS)
    ]


def request() -> str:
    """A certificate request with a fresh key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def tokens(jwks: Path) -> list[str]:
    """One token for each pod; ``jwks`` gets the key that verifies them."""
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    jwks.write_text(json.dumps({"keys": [{**numbers, "kid": "k", "use": "sig", "alg": "ES256"}]}))
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "system:serviceaccount:shop:web", "aud": ["istio-ca"], "exp": now + 600}
    bound = [{"namespace": "shop", "pod": {"name": f"web-{n}", "uid": f"uid-{n}"}} for n in range(REQUESTS)]
    return [jwt.encode({**claims, "kubernetes.io": b}, key, algorithm="ES256", headers={"kid": "k"}) for b in bound]


async def signed(key: SigningKey, jwks: Path, sent: list[tuple[str, str]]) -> float:
    """Seconds of processor time for all requests, one after the other: other work on the machine does not count."""
    config = Config().with_objects(pods())

    async def changed() -> None:
        raise LookupError("a pod is not known")

    issuer = Issuer(
        self_signed(key, "cluster.local", now=datetime.now(UTC), serial=1),
        Lifetimes(),
        Authenticator(jwks, lambda: config, changed),
        Metrics(),
    )
    begun = time.process_time()
    answers = [await issuer.issue(None, f"Bearer {token}", csr, 3600) for token, csr in sent]
    seconds = time.process_time() - begun
    if len({answer.cert_chain[0] for answer in answers}) != REQUESTS:
        raise SystemExit("not every request got a certificate of its own")
    return seconds


def main() -> int:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = []
    with tempfile.TemporaryDirectory() as directory:
        jwks = Path(directory) / "jwks.json"
        sent = list(zip(tokens(jwks), [request() for _ in range(REQUESTS)], strict=True))
        keys: dict[str, SigningKey] = {
            "ECDSA P-256": ec.generate_private_key(ec.SECP256R1()),
            "RSA 2048": rsa.generate_private_key(65537, 2048),
        }
        for name, key in keys.items():
            seconds = asyncio.run(signed(key, jwks, sent))
            found.append(Measured(f"{REQUESTS} certificates on one core, CA key {name}", seconds, LIMIT_S, "s"))
            print(found[-1].line(), flush=True)
    return int(any(not each.good for each in found))


if __name__ == "__main__":
    sys.exit(main())
