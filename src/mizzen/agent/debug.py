"""What the agent shows of itself below ``/debug`` on 15020, to callers in the pod only (row PO-06).

The paths are those that people know from Istio. Behind ``pprof`` are not Go's binary profiles but texts that answer the
same questions of a Python process: what does it wait for, what fills its memory, where does its time go.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from mizzen.agent.http import Request, Response

PROFILES = {
    "cmdline": "the command line",
    "goroutine": "the stack of every asyncio task and thread",
    "heap": "memory by the kernel's count, and the objects that fill it",
    "profile": "where CPU time goes, ?seconds=N (30), one line a stack as flame graph tools read it",
}
LONGEST = 120.0
_INTERVAL = 0.01
"""Seconds of CPU time between two samples."""
_TEXT = {"content-type": "text/plain; charset=utf-8"}
_BIGGEST = 30


class Debug:
    """``names`` gives the table of the DNS proxy, or is None where there is no such proxy."""

    def __init__(self, names: Callable[[], dict[str, Any]] | None) -> None:
        self._names = names
        self._sampling = False

    async def handle(self, request: Request) -> Response:
        """Answer one request for a path below ``/debug/``."""
        if not request.from_localhost:
            return Response(403, b"only from localhost\n")
        if request.path == "/debug/ndsz":
            return self._ndsz()
        if not request.path.startswith("/debug/pprof"):
            return Response(404, b"there are /debug/ndsz and /debug/pprof/\n")
        name = request.path.removeprefix("/debug/pprof").strip("/")
        if name == "profile":
            return await self._profile(request.query)
        texts: dict[str, Callable[[], str]] = {
            "": _index,
            "cmdline": lambda: "\0".join(sys.orig_argv),
            "goroutine": _stacks,
            "heap": _heap,
        }
        if name not in texts:
            return Response(404, _index().encode(), _TEXT)
        return Response(200, texts[name]().encode(), _TEXT)

    def _ndsz(self) -> Response:
        if self._names is None:
            document = {"table": {}, "reason": "this proxy has no DNS server: ISTIO_META_DNS_CAPTURE is not true"}
        else:
            document = self._names()
        body = json.dumps(document, indent=2).encode() + b"\n"
        return Response(200, body, {"content-type": "application/json"})

    async def _profile(self, query: str) -> Response:
        asked = dict(part.partition("=")[::2] for part in query.split("&")).get("seconds") or "30"
        try:
            seconds = float(asked)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= LONGEST:
            return Response(400, f"seconds: more than 0, at most {LONGEST:g}\n".encode())
        if self._sampling:
            return Response(409, b"a profile is being taken\n")
        self._sampling = True
        try:
            samples = await _sampled(seconds)
        finally:
            self._sampling = False
        lines = [f"{';'.join(stack)} {count}" for stack, count in samples.most_common()]
        return Response(200, "\n".join([*lines, ""]).encode(), _TEXT)


def _index() -> str:
    return "".join(f"/debug/pprof/{name}\t{what}\n" for name, what in PROFILES.items())


def _stacks() -> str:
    parts = []
    for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name()):
        parts.append("\n".join([f"task {task.get_name()}", *_awaiting(task.get_coro())]))
    for number, frame in sys._current_frames().items():
        parts.append("\n".join([f"thread {number}", *(f"  {place}" for place in reversed(_stack(frame)))]))
    return "\n\n".join(parts) + "\n"


def _awaiting(coroutine: Any) -> Iterator[str]:
    """From the task's own function to what it waits for."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            yield f"  {_place(frame.f_code, frame.f_lineno)}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


def _stack(frame: FrameType | None) -> list[str]:
    """The innermost place last."""
    found = []
    while frame is not None:
        found.append(_place(frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return found[::-1]


def _place(code: CodeType, line: int) -> str:
    return f"{code.co_qualname} ({'/'.join(Path(code.co_filename).parts[-2:])}:{line})"


def _heap() -> str:
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for item in gc.get_objects():
        kind = f"{type(item).__module__}.{type(item).__qualname__}"
        counts[kind] += 1
        sizes[kind] += sys.getsizeof(item, 0)
    try:
        kernel = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    except OSError as error:
        kernel = f"smaps_rollup: {error}\n"
    lines = [f"{sizes[kind]:>12} bytes {counts[kind]:>8} {kind}" for kind, _ in sizes.most_common(_BIGGEST)]
    return "\n".join([kernel, "objects with references to others, largest kinds first:", *lines, ""])


async def _sampled(seconds: float) -> Counter[tuple[str, ...]]:
    """How often each stack of the main thread was seen, once per interval of CPU time."""
    samples: Counter[tuple[str, ...]] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        samples[tuple(_stack(frame))] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    try:
        await asyncio.sleep(seconds)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return samples
