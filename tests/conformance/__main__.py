"""``python -m tests.conformance [PATH…] [--only TEXT] [--keep] [--name MESH] [--lanes N]``: runs cases in one real mesh, a line each."""

import argparse
import fnmatch
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from mizzen.errors import LabError
from tests.conformance import fixture, lanes, upstream, vocabulary
from tests.conformance.material import Material
from tests.conformance.play import Verdict
from tests.conformance.world import World

CASES = Path(__file__).parent / "cases"
SERVER = "alpha/ext.test"
EXIT_FAILED = 3
EXIT_STOPPED = 143
_LANES, _MANY = 2, 60
"""Most of a case is waiting: from this many cases on a second mesh pays for its start."""


Make = Callable[[Path, str, str], fixture.Fixture]


def open_world(name: str, keep: bool = False, make: Make = fixture.shop) -> tuple[World, Material]:
    """A mesh with the fixture, ready. Close it."""
    world = World(name, keep)
    material = Material(world.ledger / "documents", world.address, lambda: world.fixture.documents_url)
    certificate, key = material.leaf(SERVER)
    authorities = material.authority("alpha")[0] + material.authority("beta")[0]
    try:
        world.start(make(world.ledger, key + certificate, authorities))
        world.keep([material.fill(document) for document in world.fixture.late])
    except BaseException:
        world.__exit__()
        raise
    return world, material


def chosen(cases: Iterable[vocabulary.Case], only: str) -> list[vocabulary.Case]:
    """Those whose id or area matches one of the patterns in ``only`` (comma separated)."""
    patterns = [pattern.strip() for pattern in only.split(",") if pattern.strip()]
    return [
        case
        for case in cases
        if not patterns or any(fnmatch.fnmatch(str(case.get(name, "")), p) for p in patterns for name in ("id", "area"))
    ]


def summary(verdicts: list[Verdict], seconds: float) -> str:
    good = sum(1 for verdict in verdicts if not verdict.problems and not verdict.skipped)
    skipped = sum(1 for verdict in verdicts if verdict.skipped)
    failed = len(verdicts) - good - skipped
    return f"{good} ok, {failed} failed, {skipped} skipped of {len(verdicts)} cases in {seconds:.0f} s"


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_STOPPED))  # so that the mesh is taken down
    parser = argparse.ArgumentParser(prog="conformance")
    parser.add_argument("paths", nargs="*", type=Path, help="files or directories of cases; our own without any")
    parser.add_argument("--only", default="", help="ids or areas, with * and commas")
    parser.add_argument("--keep", action="store_true", help="leave the mesh running")
    parser.add_argument("--name", default=f"conf{os.getpid()}", help="the mesh's name")
    parser.add_argument("--lanes", type=int, default=0, help="meshes side by side; one, or two for many cases")
    parser.add_argument("--slow", action="store_true", help="tell the seconds of each case")
    options = parser.parse_args(arguments)
    try:
        loaded = [case for path in options.paths or [CASES] for case in vocabulary.load(path)]
    except (OSError, ValueError) as error:
        print(f"cannot read the cases: {error}", file=sys.stderr)
        return 2
    cases = chosen(loaded, options.only)
    theirs = [case for case in cases if upstream.is_upstream(case)]
    ours = [case for case in cases if not upstream.is_upstream(case)]
    verdicts: list[Verdict] = []
    begin = time.monotonic()
    try:
        if ours:
            verdicts += play(ours, options, fixture.shop)
        if theirs:
            verdicts += play_upstream(theirs, options)
    except LabError as error:
        print(f"the mesh did not start: {error}", file=sys.stderr)
        return 1
    print(summary(verdicts, time.monotonic() - begin), flush=True)
    return EXIT_FAILED if any(verdict.problems for verdict in verdicts) else 0


def play(cases: list[vocabulary.Case], options: argparse.Namespace, make: Make) -> list[Verdict]:
    """Every case, a line each, in as many meshes as asked for. Raises LabError when one does not start."""
    begin = time.monotonic()
    number = options.lanes or (_LANES if len(cases) >= _MANY else 1)
    names = [f"{options.name}-{lane + 1}" if lane else options.name for lane in range(number)]
    with ExitStack() as stack:
        ready = lanes.opened(stack, names, lambda name: open_world(name, options.keep, make))
        print(f"# the mesh is ready after {time.monotonic() - begin:.1f} s", flush=True)
        return lanes.play(cases, ready, lambda verdict: tell(verdict, options.slow))


def play_upstream(cases: list[vocabulary.Case], options: argparse.Namespace) -> list[Verdict]:
    """Cases of Istio's own tests, in the fixture that those have."""
    return play([upstream.translated(case) for case in cases], options, upstream.fixture)


def tell(verdict: Verdict, slow: bool) -> None:
    print(verdict.line() + (f"  # {verdict.seconds:.1f} s" if slow else ""), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
