"""What the agent is told about fetching modules, under Istio's names (rows WP-14, WP-15)."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path("/var/lib/istio/data")


@dataclass(frozen=True, kw_only=True)
class WasmSettings:
    """Times are in seconds, ``limit`` in bytes. ``boot`` tells this life of the agent from earlier ones of its pod."""

    boot: str
    directory: Path = DIRECTORY
    limit: int = 256 * 1024 * 1024
    timeout: float = 15.0
    retries: int = 5
    expiry: float = 86400.0
    purge: float = 3600.0
    insecure: tuple[str, ...] = ()
    """Registries that need not prove who they are; ``*`` for all."""
    blocked: tuple[str, ...] = ()
    """Networks that nothing is fetched from, beside those that never are."""


def from_environment(env: Mapping[str, str], duration: Callable[[str, float], float]) -> WasmSettings | None:
    """None where whoever is behind the agent fetches by itself. Raises ValueError with the variable's name."""
    if env.get("ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION", "true").lower() == "false":
        return None
    default = WasmSettings(boot="")
    return WasmSettings(
        boot=os.urandom(8).hex(),
        directory=Path(env.get("MIZZEN_WASM_PATH") or DIRECTORY),
        limit=_number(env, "ISTIO_WASM_MAX_BINARY_SIZE_BYTES", default.limit),
        timeout=duration(env.get("WASM_HTTP_REQUEST_TIMEOUT", ""), default.timeout),
        retries=_number(env, "WASM_HTTP_REQUEST_MAX_RETRIES", default.retries),
        expiry=duration(env.get("WASM_MODULE_EXPIRY", ""), default.expiry),
        purge=duration(env.get("WASM_PURGE_INTERVAL", ""), default.purge),
        insecure=_listed(env, "WASM_INSECURE_REGISTRIES"),
        blocked=_networks(env, "BLOCKED_CIDRS_IN_WASM_FETCH"),
    )


def _listed(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[,\s]+", env.get(name, "")) if part)


def _networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = _listed(env, name)
    for text in found:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{name}: {text!r} is no network such as 10.0.0.0/8") from None
    return found


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "").strip()
    if text and not text.isdigit():
        raise ValueError(f"{name}={text!r} is no number")
    return int(text) if text else default
