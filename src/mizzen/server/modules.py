"""What an agent is to fetch, as it reads it: the modules of its proxy's plugins, with what the registry asks for (row AG-12)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.extension import DOCKER_CONFIG, Module

_KEY = ".dockerconfigjson"


def document(modules: Iterable[Module], config: Config, *, secrets: bool) -> dict[str, Any]:
    """``{"version", "modules": [{"key", "url", "sha256", "auth" or "problem"}]}``; ``auth`` only if ``secrets``.

    A password goes to the agent alone, over mutual TLS, and into no resource of Envoy's.
    """
    entries = [_entry(module, config, secrets) for module in modules]
    text = json.dumps(entries, sort_keys=True)
    return {"version": hashlib.blake2b(text.encode(), digest_size=8).hexdigest(), "modules": entries}


def _entry(module: Module, config: Config, secrets: bool) -> dict[str, str]:
    entry = {"key": module.key, "url": module.url, "sha256": module.sha256}
    if not module.secret:
        return entry
    found = config.of("Secret").get((module.namespace, module.secret))
    text = _docker_config(found) if found is not None else None
    if found is None:
        return {**entry, "problem": f"the pull secret {module.secret} is missing"}
    if text is None:
        return {**entry, "problem": f"the pull secret {module.secret} is not of type {DOCKER_CONFIG}"}
    if not secrets:
        return {**entry, "problem": "the pull secret is not given to a proxy that is no pod of the mesh"}
    return {**entry, "auth": text}


def _docker_config(secret: Object) -> str | None:
    body = secret.body
    if body.type != DOCKER_CONFIG:
        return None
    if _KEY in body.string_data:
        return str(body.string_data[_KEY])
    try:
        return base64.b64decode(body.data.get(_KEY, ""), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
