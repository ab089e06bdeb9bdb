"""Run the machine's own network tools (``ip``, ``nft``) without blocking the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from mizzen.errors import LabError
from mizzen.lab import kernel

_Result = TypeVar("_Result")
_PACKAGES = {"ip": "iproute2", "nft": "nftables", "nsenter": "util-linux"}


async def run(*arguments: str, text: str = "") -> str:
    """Standard output of a command that gets ``text`` on its standard input. Raises LabError when it fails."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    except FileNotFoundError:
        package = _PACKAGES.get(arguments[0], arguments[0])
        raise LabError(f"the command {arguments[0]} is missing", f"apt-get install {package}") from None
    out, err = await process.communicate(text.encode())
    if process.returncode:
        raise LabError(
            f"{' '.join(arguments)}: {err.decode(errors='replace').strip() or f'exit code {process.returncode}'}"
        )
    return out.decode(errors="replace")


async def ip(lines: Sequence[str], namespace: str = "") -> None:
    """Run lines of ``ip`` in one batch, inside the network namespace at the path ``namespace`` if given. Raises LabError."""
    prefix = ("nsenter", f"--net={namespace}") if namespace else ()
    await run(*prefix, "ip", "-batch", "-", text="\n".join(lines) + "\n")


def within(namespace: str, work: Callable[[], _Result]) -> _Result:
    """Call ``work`` in a thread that has joined the network namespace at the path ``namespace``; raises what it raises.

    Sockets made there stay in that namespace whoever uses them.
    """
    outcome: Future[_Result] = Future()

    def body() -> None:
        try:
            kernel.enter(namespace, kernel.CLONE_NEWNET)
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            outcome.set_exception(error)

    thread = Thread(target=body, daemon=True)
    thread.start()
    thread.join()
    return outcome.result()


Runner = Callable[..., bool]
"""Runs a command, its words as arguments, and tells whether it succeeded; never raises."""
