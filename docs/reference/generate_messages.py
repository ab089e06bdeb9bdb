"""Writes ``analysis-messages.md`` from the messages themselves: ``python docs/reference/generate_messages.py``."""

from __future__ import annotations

from pathlib import Path

from mizzen.analyze.analyzers import ALPHA, ANALYZERS
from mizzen.analyze.messages import ABSENT, MESSAGES

PAGE = Path(__file__).with_name("analysis-messages.md")

HEAD = """\
# Messages of the analysis

Generated from the messages by `docs/reference/generate_messages.py`; do not edit.

What [`mizzen analyze`](cli.md#mizzen-analyze) may say. Codes, names and levels are Istio's; each code links to Istio's page
about it. Of a validator's own findings, errors are given as IST0106 and warnings as IST0133, with the line of their field;
`MZ0020` is ours: a rule of a VirtualService behind one whose match takes every request.
"""


def page() -> str:
    """The whole page as it should be."""
    lines = [HEAD, "| code | name | level | what it means |", "| --- | --- | --- | --- |"]
    for message in MESSAGES.values():
        lines.append(f"| [{message.code}]({message.url}) | {message.name} | {message.level} | {message.about} |")
    lines += ["", "Codes of Istio's that are known to `--suppress` and that nothing gives: "]
    lines += [", ".join(f"{code} {name}" for code, name in ABSENT.items()) + "."]
    lines += ["", "## Analyzers", "", "| analyzer | reads | gives | about |", "| --- | --- | --- | --- |"]
    for analyzer in (*ANALYZERS.values(), ALPHA):
        reads = (
            "every other kind"
            if len(analyzer.reads) > 20
            else ", ".join(
                kind if kind.count(".") == 0 else f"{kind.partition('.')[0]} (Kubernetes)" for kind in analyzer.reads
            )
        )
        lines.append(f"| `{analyzer.name}` | {reads} | {', '.join(analyzer.codes)} | {analyzer.about} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
