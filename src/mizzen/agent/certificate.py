"""The workload's certificate: fetched at start, renewed at half its life, kept when renewal fails (rows CW-01, 03, 04)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from mizzen.agent import roots, secrets
from mizzen.agent.material import NAMES
from mizzen.agent.settings import Settings
from mizzen.errors import MeshError

SPREAD = 2.0
"""Seconds over which the pods of a mesh spread when all of them have a reason to renew."""
FIRST_RETRY, LAST_RETRY = 0.2, 30.0


class NoCertificate(MeshError):
    """This attempt brought no certificate; the text says why and holds no secret."""


class Rotation:
    """Keeps the two secret files fresh. ``expires`` is the end of the current certificate in seconds since 1970, 0 before the first."""

    def __init__(self, settings: Settings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._report = report
        self._jitter = random.SystemRandom()
        self._soon = asyncio.Event()
        self.expires = 0.0
        self.failures = 0

    async def first(self) -> None:
        """Return when there is a certificate; tries for ever, because nothing works without one."""
        await self._until_renewed()

    async def keep(self) -> None:
        """Renew for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait(self.expires - time.time())):
                    await self._soon.wait()
                    await asyncio.sleep(self._jitter.uniform(0, SPREAD))
            self._soon.clear()
            await self._until_renewed()

    async def renew_soon(self) -> None:
        """The roots have changed, and so perhaps has the authority."""
        self._report("the roots have changed")
        self._soon.set()

    def _wait(self, lifetime: float) -> float:
        """Seconds from receipt to renewal: half the lifetime as received, give or take a hundredth."""
        ratio = 1 - self._settings.grace_ratio + self._jitter.uniform(-1, 1) * self._settings.grace_jitter
        return max(0.5, lifetime * min(max(ratio, 0.0), 1.0))

    async def _until_renewed(self) -> None:
        await retry(self._renew, self._failed, self._jitter)

    def _failed(self, error: NoCertificate) -> None:
        self.failures += 1
        self._report(f"no certificate: {error}")

    async def _renew(self) -> None:
        settings = self._settings
        request = {
            "url": settings.certificate_url,
            "token_path": str(settings.token_path),
            "proved_path": str(settings.proved_path or ""),
            "root_cert_path": str(settings.root_cert_path),
            "uri": f"spiffe://{settings.trust_domain}/ns/{settings.namespace}/sa/{settings.service_account}",
            "ttl_seconds": round(settings.secret_ttl),
            "key": settings.key_kind,
        }
        # While the control plane is not there yet, a child per attempt would keep a small machine busy.
        await reachable(settings.certificate_url)
        answer = await ask_child(request)
        # Roots first: a new certificate may be signed by a root that the old bundle lacks.
        revoked = roots.text(settings.revoked_path)
        secrets.write(settings.sds_path / "ROOTCA.json", secrets.roots(answer["roots"], revoked))
        secrets.write(settings.sds_path / "default.json", secrets.certificate(answer["cert_chain"], answer["key"]))
        self._write_out(answer)
        self.expires = float(answer["expires"])
        self._report(f"certificate received, ttl {self.expires - time.time():.0f}s")

    def _write_out(self, answer: dict[str, Any]) -> None:
        """For the next start of the agent, and for programs that read files (rows CW-01, VM-05)."""
        directory = self._settings.output_path
        if directory is None:
            return
        texts = ("".join(answer["cert_chain"]), answer["key"], "".join(answer["roots"]))
        try:
            for name, text in zip(NAMES, texts, strict=True):
                secrets.replace(directory / name, text)
        except OSError as error:
            self._report(f"the certificate cannot be written to {directory}: {error}")


async def retry(
    attempt: Callable[[], Awaitable[None]], failed: Callable[[NoCertificate], None], jitter: random.Random
) -> None:
    """Call ``attempt`` until it raises no NoCertificate, waiting longer each time, with jitter so that pods spread."""
    delay = FIRST_RETRY
    while True:
        try:
            return await attempt()
        except NoCertificate as error:
            failed(error)
        await asyncio.sleep(delay * jitter.uniform(0.5, 1.5))
        delay = min(delay * 2, LAST_RETRY)


async def reachable(url: str) -> None:
    """Connect to the host and port of ``url`` and hang up. Raises NoCertificate."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443)
    except (OSError, TimeoutError) as error:
        raise NoCertificate(f"{parts.hostname}:{parts.port or 443} cannot be reached: {error}") from None
    writer.close()


async def ask_child(request: dict[str, Any]) -> dict[str, Any]:
    """Run :mod:`mizzen.agent.keypair` once. Raises NoCertificate."""
    command = [sys.executable, "-m", "mizzen.agent.keypair"]
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise NoCertificate(f"cannot start {command[0]}: {error}") from None
    try:
        out, err = await asyncio.wait_for(child.communicate(json.dumps(request).encode()), timeout=30)
    except TimeoutError:
        raise NoCertificate("the control plane did not answer in 30s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        answer = json.loads(out)
    except ValueError:
        last = err.decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise NoCertificate(last[0]) from None
    if not isinstance(answer, dict) or "error" in answer:
        raise NoCertificate(str(answer["error"]) if isinstance(answer, dict) else "not understood")
    return answer
