"""The thirty behaviours that are most likely to be got wrong, and the tests that hold them (docs/compatibility/thirty.yaml)."""

from __future__ import annotations

import ast
import fnmatch
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs/compatibility/thirty.yaml"
COUNT = 30


def load(path: Path = LIST) -> dict[int, dict[str, Any]]:
    found = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    assert isinstance(found, dict)
    return found


def problems(behaviours: dict[int, dict[str, Any]], tests: Path) -> list[str]:
    """Numbers that are missing, behaviours that nothing holds, and proofs that do not exist or are excused."""
    found = [f"{n}: not listed" for n in range(1, COUNT + 1) if n not in behaviours]
    found += [f"{n}: there are only {COUNT}" for n in behaviours if n not in range(1, COUNT + 1)]
    for number, entry in behaviours.items():
        if not entry.get("behaviour") or not entry.get("tests"):
            found.append(f"{number}: a behaviour and its tests are needed")
        found += [f"{number}: {text}" for proof in entry.get("tests") or () if (text := _fault(proof, tests))]
    return found


def _fault(proof: str, tests: Path) -> str:
    name, _, member = proof.partition("::")
    file = tests / name
    if not file.is_file():
        return f"{name} does not exist"
    if file.suffix == ".py":
        return "" if member in _functions(file) else f"{name} has no test {member!r}"
    if not member:
        return "" if name.startswith("golden/") else f"{proof}: which case?"
    if member not in {case["id"] for case in yaml.load(file.read_text(), Loader=yaml.CSafeLoader)}:
        return f"{name} has no case {member!r}"
    reasons = tests / "conformance/reasons.yaml"
    excused = (yaml.load(reasons.read_text(), Loader=yaml.CSafeLoader) if reasons.is_file() else None) or {}
    return f"case {member} is excused" if any(fnmatch.fnmatch(member, pattern) for pattern in excused) else ""


def _functions(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text(), str(file)))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
