"""Where the conformance data lies: the directory ``MIZZEN_CONFORMANCE``, or ``../shared/conformance`` beside a checkout."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def directory() -> Path | None:
    """The directory with the data; None when it is not there."""
    named = os.environ.get("MIZZEN_CONFORMANCE")
    found = Path(named) if named else ROOT.parent / "shared/conformance"
    return found if found.is_dir() else None


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file; the test that asks is skipped when the data is not there."""
    place = directory()
    if place is None or not (place / name).is_file():
        pytest.skip(f"no conformance data: set MIZZEN_CONFORMANCE to a directory with {name}")
    found: list[dict[str, Any]] = json.loads((place / name).read_text())
    return found


def score(capsys: pytest.CaptureFixture[str], what: str, good: int, of: int) -> float:
    """Prints ``good`` of ``of`` past pytest's capture, and gives the share."""
    with capsys.disabled():
        print(f"\n{what}: {good} of {of} ({100 * good / of:.1f} %)")
    return good / of
