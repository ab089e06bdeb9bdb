"""What kind of key the workload has, and whether its certificate comes from files instead (rows CA-10, CW-02a)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NAMES = ("cert-chain.pem", "key.pem", "root-cert.pem")
PLACES = (Path("/var/run/secrets/workload-spiffe-credentials"), Path("/etc/certs"))
_CURVES = ("P256", "P384")
_SMALLEST = 2048


def key_kind(env: Mapping[str, str]) -> str:
    """P256, P384, or RSA and its bits. ECC_SIGNATURE_ALGORITHM and ECC_CURVE come before WORKLOAD_RSA_KEY_SIZE.

    Without any of them it is P256, where Istio makes RSA 2048 (product decision 8). Raises ValueError.
    """
    algorithm, curve = env.get("ECC_SIGNATURE_ALGORITHM", ""), env.get("ECC_CURVE", "")
    if algorithm not in ("", "ECDSA"):
        raise ValueError(f"ECC_SIGNATURE_ALGORITHM={algorithm!r} is not known; ECDSA is")
    if curve not in ("", *_CURVES):
        raise ValueError(f"ECC_CURVE={curve!r} is not known; P256 and P384 are")
    size = env.get("WORKLOAD_RSA_KEY_SIZE", "")
    if algorithm or curve or not size:
        return curve or _CURVES[0]
    if not size.isdigit() or int(size) < _SMALLEST:
        raise ValueError(f"WORKLOAD_RSA_KEY_SIZE={size!r} is not a number of bits from {_SMALLEST}")
    return f"RSA{size}"


def mounted(env: Mapping[str, str]) -> Path | None:
    """The directory whose certificate, key and roots are the workload's, None when the CA is to be asked.

    FILE_MOUNTED_CERTS says that the CA is never asked; then files may also come later. What the agent itself wrote
    (OUTPUT_CERTS, row VM-05) is not somebody else's.
    """
    places = [Path(env["MIZZEN_MOUNTED_CERTS"])] if env.get("MIZZEN_MOUNTED_CERTS") else list(PLACES)
    own = {Path(env[name]) for name in ("OUTPUT_CERTS", "PROV_CERT") if env.get(name)}
    places = [place for place in places if place not in own]
    found = next((place for place in places if all((place / name).is_file() for name in NAMES)), None)
    if found is None and env.get("FILE_MOUNTED_CERTS", "").lower() == "true":
        return places[-1]
    return found
