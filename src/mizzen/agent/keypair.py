"""A short-lived child of the agent: make a key and a CSR, have it signed, print the answer as JSON.

The one place beside Envoy that ever holds a TLS library or the new key; the agent's own process stays small. Reads
its request as JSON from stdin: ``url``, ``token_path``, ``proved_path``, ``root_cert_path``, ``uri``, ``ttl_seconds``,
``key`` (its kind).
Prints ``{"key", "cert_chain", "roots", "expires"}``, or ``{"error"}`` with exit code 1. The key is made here, goes to the
agent through a pipe, and never leaves the pod (row AG-04). Asked with ``certificate`` and ``key``, it looks at these
instead and prints ``{"expires"}``.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from mizzen.agent.material import NAMES

TIMEOUT = 10.0


def key_and_csr(uri: str, kind: str = "P256") -> tuple[str, str]:
    """A key (PKCS 8) and a CSR for the SPIFFE id ``uri``, both PEM. ``kind``: P256, P384, or RSA and its bits (row CA-10)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind.startswith("RSA"):
        key = rsa.generate_private_key(65537, int(kind.removeprefix("RSA")))
    else:
        key = ec.generate_private_key(ec.SECP384R1() if kind == "P384" else ec.SECP256R1())
    name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(name, critical=True)
    signed = csr.sign(key, hashes.SHA256())
    form, syntax, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(form, syntax, plain).decode(), signed.public_bytes(form).decode()


def expiry(certificate: str) -> float:
    """The end of a PEM certificate's life, in seconds since 1970."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc.timestamp()


def pair(certificate: str, key: str) -> dict[str, Any]:
    """``expires`` of a certificate that somebody else has made. Raises ValueError when ``key`` is not its key."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        leaf = x509.load_pem_x509_certificate(certificate.encode())
        private = serialization.load_pem_private_key(key.encode(), None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"the key cannot be read: {error}") from None
    if private.public_key() != leaf.public_key():
        raise ValueError("the key is not that of the certificate")
    return {"expires": leaf.not_valid_after_utc.timestamp()}


def sign(request: dict[str, Any], csr: str) -> dict[str, Any]:
    """Post the CSR, with a certificate of before where there is one, else with the token (row VM-05).

    A token may have expired long ago on a machine; a certificate that the authority no longer takes is no proof either.
    Raises OSError or ValueError when there is no certificate.
    """
    proof = proof_in(request.get("proved_path", ""), time.time())
    if proof is not None:
        try:
            return _post(request, csr, proof)
        except (OSError, ValueError) as error:
            if not Path(request["token_path"]).exists():
                raise
            sys.stderr.write(f"the certificate of before is not taken, the token is tried: {error}\n")
    return _post(request, csr, None)


def proof_in(directory: str, now: float) -> tuple[str, str] | None:
    """Paths of a certificate that is still good and of its key; None when ``directory`` holds no such pair."""
    if not directory:
        return None
    chain, key = (Path(directory) / name for name in NAMES[:2])
    try:
        good = pair(chain.read_text(encoding="ascii"), key.read_text(encoding="ascii"))["expires"] > now
    except (OSError, ValueError):
        return None
    return (str(chain), str(key)) if good else None


def _post(request: dict[str, Any], csr: str, proof: tuple[str, str] | None) -> dict[str, Any]:
    # Files are read each time: the kubelet and the lab replace them.
    context = ssl.create_default_context(cafile=request["root_cert_path"])
    headers = {"Content-Type": "application/json"}
    if proof is not None:
        context.load_cert_chain(*proof)
    else:
        token = Path(request["token_path"]).read_text(encoding="ascii").strip()
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"csr": csr, "ttl_seconds": request["ttl_seconds"]}).encode()
    call = urllib.request.Request(request["url"], data=body, headers=headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(call, timeout=TIMEOUT) as answer:
        signed = json.load(answer)
    chain, roots = signed.get("cert_chain"), signed.get("roots")
    if not chain or not roots or not all(isinstance(pem, str) for pem in [*chain, *roots]):
        raise ValueError("the answer has no certificate chain or no roots")
    return {"cert_chain": chain, "roots": roots, "expires": expiry(chain[0])}


def main() -> int:
    """Answer one request; the exit code is 1 when there is no certificate."""
    request = json.load(sys.stdin)
    answer: dict[str, Any]
    try:
        if "certificate" in request:
            answer = pair(request["certificate"], request["key"])
        else:
            key, csr = key_and_csr(request["uri"], request.get("key", "P256"))
            answer = {"key": key, **sign(request, csr)}
    except urllib.error.HTTPError as error:
        answer = {"error": f"{error.code} {error.reason}: {error.read(500).decode(errors='replace').strip()}"}
    except (OSError, ValueError) as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
