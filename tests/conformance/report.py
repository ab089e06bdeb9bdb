"""``python -m tests.conformance.report NAME=FILE…``: the score page, from what runs printed; other runs on it stay. Reasons are in ``reasons.yaml``."""

import fnmatch
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

REASONS = Path(__file__).with_name("reasons.yaml")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "compatibility" / "conformance.md"
_HEAD = """# Conformance

What a real mesh does with cases of configuration, calls and expectations. Generated from runs of `make conformance`
by `python -m tests.conformance.report`; do not edit. Our own cases are in `tests/conformance/cases/`, each written from a row
of the compatibility list; the other files are Istio's own tests as data, which are not part of this repository. Of those,
`simulation.json` and `analyzers.json` are read without a mesh: where calls end in the configuration that we make
(`python -m tests.conformance_data.simulation`), and what `mizzen analyze` says about files (`python -m tests.conformance_data.analysis`).

A case begins when every proxy has acknowledged and none drains a listener of before
([how](../reference/conformance-cases.md)). `SKIP` names what a case needs and the runner does not have. Where a file of results
holds a case twice, the later run of it counts. Tokens of Istio's data are made anew with the runner's key, and principals that the
data writes with the scheme `spiffe://` are written without it, as Istio's API takes them.
"""


def read(text: str) -> dict[str, tuple[str, str]]:
    """Id -> (ok, FAIL or SKIP; what follows the id), from the lines of a run."""
    found = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("ok", "FAIL", "SKIP"):
            name, _, detail = rest.partition("  # ")[0].partition(" ")
            found[name] = (word, detail)
    return found


def reason(name: str, reasons: Mapping[str, str]) -> str:
    """The reason whose pattern fits, or an empty text."""
    return next((text for pattern, text in reasons.items() if fnmatch.fnmatch(name, pattern)), "")


def page(runs: Mapping[str, str], reasons: Mapping[str, str], before: str = "") -> str:
    """The page of several runs, by name. What ``before``, the page as it is, says of other runs stays."""
    results = {name: read(text) for name, text in runs.items()}
    rows, sections = kept(before, results)
    for name, verdicts in results.items():
        counts = Counter(word for word, _ in verdicts.values())
        rows[name] = f"| {name} | {counts['ok']} | {counts['FAIL']} | {counts['SKIP']} | {len(verdicts)} |"
    lines = [_HEAD, "| cases | ok | FAIL | SKIP | all |", "| --- | --- | --- | --- | --- |", *rows.values()]
    for text in sections.values():
        lines += ["", text.strip()]
    for name, verdicts in results.items():
        bad = {case: verdict for case, verdict in verdicts.items() if verdict[0] != "ok"}
        if not bad:
            continue
        lines += ["", f"## {name}", "", "| case | | reason |", "| --- | --- | --- |"]
        for case, (word, detail) in bad.items():
            text = detail if word == "SKIP" else reason(case, reasons) or _short(detail)
            lines.append(f"| {case} | {word} | {text} |")
    return "\n".join(lines) + "\n"


def kept(before: str, again: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The lines of the table and the sections of a page, by name, without those that are made ``again``."""
    head, *parts = before.split("\n## ")
    rows = {}
    for line in head.splitlines():
        cells = line.split("|")
        if len(cells) == 7 and cells[2].strip().isdecimal():
            rows[cells[1].strip()] = line
    sections = {part.partition("\n")[0]: f"## {part}" for part in parts}
    return (
        {name: line for name, line in rows.items() if name not in again},
        {name: text for name, text in sections.items() if name not in again},
    )


def _short(detail: str) -> str:
    return "not looked into: " + detail.partition(" | ")[0][:160].replace("|", "\\|")


def main(arguments: list[str]) -> None:
    runs = {name: Path(file).read_text() for name, _, file in (item.partition("=") for item in arguments)}
    before = PAGE.read_text() if PAGE.exists() else ""
    PAGE.write_text(page(runs, yaml.safe_load(REASONS.read_text()) or {}, before))


if __name__ == "__main__":
    main(sys.argv[1:])
