"""A short-lived child of the agent: fetch one module, check it, leave it as a file, say its digest (row AG-12).

Reads its task as JSON from stdin: ``url``, ``sha256``, ``auth``, ``directory``, ``timeout``, ``limit``, ``insecure``,
``blocked``. Prints ``{"sha256"}``, or ``{"error"}`` with exit code 1. What it is given to prove itself with goes to the
registry only.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mizzen.agent.wasm import archive
from mizzen.agent.wasm.image import Image, Reference
from mizzen.agent.wasm.transfer import Refused, Transfer


def fetch(task: dict[str, Any]) -> str:
    """The digest of the module, which lies in ``directory`` as ``<digest>.wasm``. Raises Refused, OSError or HTTPException."""
    directory, limit, sha256 = Path(task["directory"]), int(task["limit"]), str(task["sha256"])
    url = str(task["url"])
    directory.mkdir(parents=True, exist_ok=True)
    image = Reference.parse(url) if url.startswith("oci://") else None
    insecure = image is not None and _excused(image.registry, task["insecure"])
    with (
        tempfile.TemporaryFile(dir=directory) as raw,
        Transfer(task["timeout"], limit, tuple(task["blocked"]), unverified=insecure) as transfer,
    ):
        if image is not None:
            source = Image(image, transfer, str(task["auth"]), insecure=insecure)
            layer = source.layer(sha256)
            _copy(source.blob(layer), raw)
            return _keep(archive.module(raw, limit, image=layer.packed), directory)
        answer = transfer.get(url)
        if answer.status != 200:
            raise Refused(f"the server answers {answer.status}")
        _copy(answer.body, raw)
        return _keep(archive.module(raw, limit), directory, sha256)


def _excused(registry: str, insecure: list[str]) -> bool:
    return "*" in insecure or registry in insecure


def _copy(parts: Iterator[bytes], to: BinaryIO) -> None:
    for part in parts:
        to.write(part)
    to.seek(0)


def _keep(parts: Iterator[bytes], directory: Path, sha256: str = "") -> str:
    """Under its own digest, by one rename: who sees the file sees the whole of it."""
    seen = hashlib.sha256()
    handle, name = tempfile.mkstemp(dir=directory, prefix=f"{os.getpid()}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                seen.update(part)
                file.write(part)
        digest = seen.hexdigest()
        if sha256 and digest != sha256:
            raise Refused(f"its sha256 is {digest} and not the one that the object demands")
        os.replace(name, directory / f"{digest}.wasm")
    except BaseException:
        os.unlink(name)
        raise
    return digest


def main() -> int:
    """Answer one task; the exit code is 1 when there is no module."""
    task = json.load(sys.stdin)
    try:
        answer = {"sha256": fetch(task)}
    except (Refused, OSError, ValueError, http.client.HTTPException) as error:
        answer = {"error": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
