"""The one workload that ``scale`` and ``rollout`` act on."""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.cli.failure import Exit, Failure
from mizzen.cli.kinds import SCALABLE, named


def one_workload(words: Sequence[str], done: str, kinds: Sequence[str] = SCALABLE) -> tuple[str, str]:
    """(kind, name) of ``deploy/NAME`` or ``deploy NAME``; ``done`` is what cannot be done to other kinds. Raises Failure."""
    targets = named(words)
    if len(targets) != 1 or not targets[0].name:
        raise Failure("name one workload, such as deploy/reviews", code=Exit.USAGE)
    kind = targets[0].kind
    if kind.kind not in kinds:
        raise Failure(f"a {kind.kind} cannot be {done}", hint=f"{', '.join(kinds)} can", code=Exit.USAGE)
    return kind.kind, targets[0].name
