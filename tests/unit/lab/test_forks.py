"""Signals to a program of the lab reach who they would in a container."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.lab.forks import Process

PARENT = (
    "import subprocess, time; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """A program with a child, in a session of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        process.kill()


def alive(pid: int) -> bool:
    """Whether the process runs: it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.row("AG-06")
async def test_a_gentle_signal_is_for_the_first_process_and_a_hard_one_for_all(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    process = Process(parent.pid, asyncio.get_running_loop().create_future())
    process.kill(signal.SIGTERM)
    # Not waited for yet, so its number is still its own.
    await asyncio.to_thread(os.waitid, os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
    assert alive(child)
    process.kill(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while alive(child):
        assert time.monotonic() < deadline


async def test_a_program_is_gone_when_the_last_of_its_session_is(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    process = Process(parent.pid, asyncio.get_running_loop().create_future())
    parent.kill()
    parent.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await process.gone()
    os.kill(child, signal.SIGKILL)
    async with asyncio.timeout(10):
        await process.gone()
    assert not alive(child)
