"""How the objects of a mesh fit together: ``analyze`` looks at all of them, as ``istioctl analyze`` does.

Each analyzer is a pure function from an :class:`~mizzen.analyze.estate.Estate` to findings. Codes, names and levels are
Istio's (rows IM-01 to IM-51); what is judged is what users wrote, not what the mesh makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from mizzen.analyze.analyzers import ALPHA, ANALYZERS, Analyzer
from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.messages import MESSAGES, Message
from mizzen.model.finding import Finding, Level

__all__ = ["ANALYZERS", "MESSAGES", "Analyzer", "Estate", "Message", "Subject", "analyze", "chosen"]

_ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.INFO: 2}


def chosen(names: Iterable[str]) -> list[Analyzer]:
    """The analyzers of these names, or families such as ``schema.ValidationAnalyzer``; all where no name is known (IA-04)."""
    wanted = set(names)
    every = (ALPHA, *ANALYZERS.values())
    found = [analyzer for analyzer in every if {analyzer.name, analyzer.name.rpartition(".")[0]} & wanted]
    return found or list(ANALYZERS.values())


def analyze(estate: Estate, analyzers: Iterable[Analyzer] = tuple(ANALYZERS.values())) -> list[Finding]:
    """Every finding about the objects of ``estate``: errors first, then by code, object and text (row IA-02)."""
    found = {finding for analyzer in analyzers for finding in analyzer.run(estate)}
    return sorted(
        found, key=lambda f: (_ORDER[f.level], f.code, f.kind, f.namespace, f.name, f.message, f.file, f.line, f.field)
    )
