"""Findings that nobody wants to see: ``--suppress``, and the annotation ``galley.istio.io/analyze-suppress`` (row IA-03)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mizzen.analyze.estate import Estate
from mizzen.analyze.messages import ABSENT, MESSAGES
from mizzen.model.finding import Finding

ANNOTATION = "galley.istio.io/analyze-suppress"
EVERYTHING = "*"


@dataclass(frozen=True)
class Suppression:
    """``code`` at the objects whose printed name is like ``pattern``, where ``*`` stands for any text."""

    code: str
    pattern: str

    @classmethod
    def parse(cls, text: str) -> Suppression:
        """``CODE=Kind ns/name`` or ``CODE=Kind name.ns``. Raises ValueError without exactly one ``=``."""
        if text.count("=") != 1:
            raise ValueError(f"{text!r} is not CODE=PATTERN, such as IST0102=Namespace bookinfo")
        code, _, pattern = text.partition("=")
        return cls(code.strip(), pattern.strip())

    @property
    def known(self) -> bool:
        return self.code in MESSAGES or self.code in ABSENT

    def covers(self, finding: Finding) -> bool:
        """Whether this one leaves the finding out."""
        like = re.compile(".*".join(map(re.escape, self.pattern.split("*"))), re.DOTALL)
        return self.code == finding.code and any(like.fullmatch(name) for name in _names(finding))


def _names(finding: Finding) -> tuple[str, ...]:
    """How an object is printed, in Istio's form and in the one that its help shows."""
    kind = finding.kind.partition(".")[0]
    if not finding.namespace:
        return (f"{kind} {finding.name}",)
    return f"{kind} {finding.namespace}/{finding.name}", f"{kind} {finding.name}.{finding.namespace}"


def unsuppressed(
    findings: Iterable[Finding], estate: Estate, suppressions: Iterable[Suppression] = ()
) -> list[Finding]:
    """The findings that neither a suppression nor an annotation of their object leaves out."""
    wanted = tuple(suppressions)
    return [
        finding
        for finding in findings
        if finding.code not in (refused := _annotated(estate, finding))
        and EVERYTHING not in refused
        and not any(suppression.covers(finding) for suppression in wanted)
    ]


def _annotated(estate: Estate, finding: Finding) -> list[str]:
    subject = estate.find(finding.kind, finding.namespace, finding.name)
    return subject.annotations.get(ANNOTATION, "").split(",") if subject is not None else []
