"""What the zygote does with children that end, in a process of its own: it reaps whatever it has."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import textwrap

PROGRAM = """
import json, os, select, socket, subprocess, sys
from mizzen.lab import zygote

mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
whole = sys.argv[1] == "whole"
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.setsid()
    lasting = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.write(write, str(lasting.pid).encode())
    os._exit(7)
if whole:
    zygote._WHOLE.add(child)
lasting = int(os.read(read, 100))
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
zygote._reap(theirs)
said = json.loads(mine.recv(1000))
print(json.dumps({"said": said == {"exit": child, "code": 7}, "kept": list(zygote._WHOLE), "lasting": lasting}))
"""


def run(kind: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), kind], capture_output=True, text=True, check=True, timeout=30
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def ends(pid: object, seconds: float) -> bool:
    """Whether the process is gone within this time."""
    try:
        descriptor = os.pidfd_open(int(str(pid)))
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor) as file:
        return bool(select.select([file], [], [], seconds)[0])


def test_what_a_containers_first_process_started_ends_with_it() -> None:
    found = run("whole")
    assert (found["said"], found["kept"]) == (True, [])
    assert ends(found["lasting"], 10)


def test_what_another_command_started_lives_on() -> None:
    found = run("alone")
    assert found["said"]
    assert not ends(found["lasting"], 0.1)
    subprocess.run(["kill", str(found["lasting"])], check=True)
