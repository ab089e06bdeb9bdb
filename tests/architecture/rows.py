"""The compatibility list: what is done, and which test proves it.

``python -m tests.architecture.rows`` prints the counts; ``--write`` generates the pages in ``docs/compatibility``;
``--proved`` lists rows that a test is marked with and that are not yet ``yes``.
"""

from __future__ import annotations

import ast
import fnmatch
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs/compatibility/rows.yaml"
STATUSES = ("yes", "accepted", "refused", "not yet")
PRIORITIES = "ABCD"
AREAS = {
    1: "Configuration API",
    2: "Protocols, listeners, traffic capture",
    3: "Injection and agent",
    4: "Certificate authority and identity",
    5: "Telemetry",
    6: "Command line and analyzers",
    7: "Debug endpoints and xDS",
    8: "Installation and operation",
    9: "Ingress and Gateway API",
    10: "Virtual machines, several clusters, DNS, locality",
}


@dataclass(frozen=True)
class Row:
    id: str
    area: int
    priority: str
    status: str
    title: str
    text: str = ""


def load(path: Path = LIST) -> list[Row]:
    """Every row of the list. YAML reads a bare ``yes`` as a boolean, which nobody means here."""
    entries = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return [Row(**{**entry, "status": "yes" if entry["status"] is True else entry["status"]}) for entry in entries]


def marks(tests: Path) -> dict[str, list[str]]:
    """Row id -> the tests marked with it, ``file::name``, the goldens that list it and the cases that are played.

    Nothing is run for this.
    """
    found: dict[str, list[str]] = {}
    for file in sorted(tests.rglob("*.py")):
        for name, node in _marked(ast.parse(file.read_text(), str(file))):
            for row in _ids(node):
                found.setdefault(row, []).append(f"{file.relative_to(tests.parent)}::{name}")
    for file in sorted((tests / "golden").glob("*/*.yaml")):
        case = next(yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader))
        for row in case.get("rows", ()) if isinstance(case, dict) else ():
            found.setdefault(row, []).append(str(file.relative_to(tests.parent)))
    for row, where in _played(tests):
        found.setdefault(row, []).append(where)
    return found


def _played(tests: Path) -> Iterator[tuple[str, str]]:
    """Row and ``file::case`` of conformance cases: only where an end-to-end test plays them, and never an excused one."""
    if not (tests / "e2e/test_conformance.py").is_file():
        return
    reasons = tests / "conformance/reasons.yaml"
    excused = (yaml.load(reasons.read_text(), Loader=yaml.CSafeLoader) if reasons.is_file() else None) or {}
    for file in sorted((tests / "conformance/cases").glob("*.yaml")):
        for case in yaml.load(file.read_text(), Loader=yaml.CSafeLoader) or ():
            rows = case.get("row") or ()
            if any(fnmatch.fnmatch(case["id"], pattern) for pattern in excused):
                continue
            for row in [rows] if isinstance(rows, str) else rows:
                yield row, f"{file.relative_to(tests.parent)}::{case['id']}"


def _marked(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from ((node.name, decorator) for decorator in node.decorator_list)
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets
        ):
            marks_given = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            yield from (("all", mark) for mark in marks_given)


def _ids(mark: ast.expr) -> list[str]:
    """The arguments of ``pytest.mark.row(...)``; nothing for any other decorator."""
    if not isinstance(mark, ast.Call) or not isinstance(mark.func, ast.Attribute) or mark.func.attr != "row":
        return []
    return [arg.value for arg in mark.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


def problems(rows: list[Row], proofs: dict[str, list[str]]) -> list[str]:
    """What is wrong with the list itself and between list and tests."""
    by_id = {row.id: row for row in rows}
    found = [f"{id_}: listed {n} times" for id_, n in Counter(row.id for row in rows).items() if n > 1]
    found += [f"{row.id}: unknown status {row.status!r}" for row in rows if row.status not in STATUSES]
    found += [f"{row.id}: unknown priority {row.priority!r}" for row in rows if row.priority not in PRIORITIES]
    found += [f"{row.id}: unknown area {row.area}" for row in rows if row.area not in AREAS]
    found += [
        f"{row.id}: {row.status}, but no text says what happens"
        for row in rows
        if row.status != "not yet" and not row.text
    ]
    found += [
        f"{row.id}: yes, but no test is marked with it" for row in rows if row.status == "yes" and row.id not in proofs
    ]
    found += [f"{id_}: marked in {where[0]}, but not in the list" for id_, where in proofs.items() if id_ not in by_id]
    return found


def counts(rows: list[Row]) -> str:
    lines = [f"{'area':<52}{'yes':>5}{'acc.':>6}{'ref.':>6}{'open':>6}{'A open':>8}{'all':>6}"]
    for area, name in [*AREAS.items(), (0, "All")]:
        mine = [row for row in rows if area in (0, row.area)]
        n = Counter(row.status for row in mine)
        open_a = sum(row.status == "not yet" and row.priority == "A" for row in mine)
        lines.append(
            f"{name:<52}{n['yes']:>5}{n['accepted']:>6}{n['refused']:>6}{n['not yet']:>6}{open_a:>8}{len(mine):>6}"
        )
    return "\n".join(lines)


def pages(rows: list[Row], proofs: dict[str, list[str]]) -> dict[str, str]:
    """File name -> text of every generated page."""
    made = {"README.md": _summary(rows)}
    for area, name in AREAS.items():
        lines = [
            f"# {name}",
            "",
            "Generated from `rows.yaml`; do not edit.",
            "",
            "| row | what | P | status | proof |",
            "| --- | --- | --- | --- | --- |",
        ]
        for row in rows:
            if row.area == area:
                what = _cell(row.title) + (f"<br>{_cell(row.text)}" if row.text else "")
                files = (
                    sorted({proof.partition("::")[0] for proof in proofs.get(row.id, ())})
                    if row.status == "yes"
                    else []
                )
                proof = ", ".join(f"`{file}`" for file in files)
                lines.append(f"| {row.id} | {what} | {row.priority} | {row.status} | {proof} |")
        made[_page(area)] = "\n".join(lines) + "\n"
    return made


def _summary(rows: list[Row]) -> str:
    lines = [
        "# Compatibility",
        "",
        "What Mizzen does of what Istio does in sidecar mode. `yes` means that a test fails when it breaks; `accepted`: the",
        "configuration is taken and has no effect; `refused`: it is refused with a message; `not yet`: nothing is promised.",
        "Priority (P): A first, D out of scope. Generated from `rows.yaml`; do not edit.",
        "",
        "| area | yes | accepted | refused | not yet | rows |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for area, name in AREAS.items():
        n = Counter(row.status for row in rows if row.area == area)
        cells = " | ".join(str(n[status]) for status in STATUSES)
        lines.append(f"| [{name}]({_page(area)}) | {cells} | {n.total()} |")
    return "\n".join(lines) + "\n"


def _page(area: int) -> str:
    words = "".join(c if c.isalnum() else " " for c in AREAS[area].lower()).split()
    return f"{area:02}-{'-'.join(words)}.md"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    rows, proofs = load(), marks(ROOT / "tests")
    if "--write" in arguments:
        for name, text in pages(rows, proofs).items():
            (LIST.parent / name).write_text(text)
    if "--proved" in arguments:
        print(
            *(
                f"{row.id}  {row.title}  {proofs[row.id][0]}"
                for row in rows
                if row.id in proofs and row.status != "yes"
            ),
            sep="\n",
        )
    found = problems(rows, proofs)
    print(counts(rows))
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
