"""One analysis: what is read for it, what of it is shown, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizzen.analyze import MESSAGES, Analyzer, analyze
from mizzen.analyze.suppression import Suppression, unsuppressed
from mizzen.api.meta import Origin
from mizzen.cli.failure import Failure
from mizzen.cli.output import note
from mizzen.lab.client import NotRunning
from mizzen.model.finding import Finding, Level
from mizzen.sources import files
from mizzen.sources.estate import Survey, mesh_text, survey
from mizzen.sources.mesh import map_names
from mizzen.sources.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

LEVELS = {"Info": 0, "Warning": 1, "Error": 2}
_COLOURS = {Level.ERROR: "31", Level.WARNING: "33", Level.INFO: "36"}
_STDIN = "-"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to analyse. ``live``: the objects of the running mesh, too; None: if there is one.

    ``namespace`` is None for every namespace. ``revision`` is empty for whatever the mesh has.
    """

    paths: Sequence[str] = ()
    live: bool | None = True
    namespace: str | None = "default"
    revision: str = ""
    mesh_file: str = ""
    analyzers: Sequence[Analyzer] = ()
    suppressions: Sequence[Suppression] = ()


@dataclass(frozen=True)
class Result:
    """``findings`` are in the order of Istio, each printed line once; ``unreadable`` those about text that is no YAML."""

    findings: list[Finding]
    unreadable: tuple[Finding, ...]
    read: Survey = field(repr=False)


def run(request: Request) -> Result:
    """Read everything and look at it. Raises LabError when the mesh is asked and does not answer."""
    loaded = files.load(request.paths)
    running = _running(request)
    home = request.namespace or ("default" if running is not None else "")
    read = survey(
        [*(running or ()), *loaded.documents],
        namespace=home,
        mesh=_mesh(request.mesh_file),
        files_only=running is None,
        mesh_maps=map_names(request.revision or "default"),
        selection=Selection(revision=request.revision) if request.revision else EVERYTHING,
    )
    found = unsuppressed(analyze(read.estate, request.analyzers), read.estate, request.suppressions)
    shown = [read.located(finding) for finding in found if _belongs(finding, request.namespace)]
    return Result(list({line_of(finding): finding for finding in shown}.values()), loaded.findings, read)


def _running(request: Request) -> list[files.Document] | None:
    """The objects of the running mesh; None when it is not asked."""
    if request.live is False:
        return None
    from mizzen.cli.connection import lab

    try:
        objects = lab().objects()[1]
    except NotRunning as error:
        if request.live is None and request.paths:
            note(f"{error}: only the files are analysed")
            return None
        raise
    return [files.Document(raw, Origin("")) for raw in objects]


def _mesh(path: str) -> Mapping[str, Any] | None:
    """The mesh config of a file. Raises Failure when it cannot be read."""
    if not path:
        return None
    try:
        return mesh_text(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"the mesh config {path} cannot be read: {error}") from None


def _belongs(finding: Finding, namespace: str | None) -> bool:
    """Whether a finding is about this namespace, or about something without one; a Namespace is in itself (IA-01)."""
    if namespace is None:
        return True
    home = finding.name if finding.kind == "Namespace" else finding.namespace
    return home in ("", namespace)


def origin_of(finding: Finding) -> str:
    """``Kind ns/name``, as Istio prints it."""
    kind = finding.kind.partition(".")[0]
    return f"{kind} {finding.namespace}/{finding.name}" if finding.namespace else f"{kind} {finding.name}"


def reference_of(finding: Finding) -> str:
    """``file:line``; the file alone where the line is not known, nothing for an object of the mesh."""
    return f"{finding.file}:{finding.line}" if finding.file and finding.line else finding.file


def line_of(finding: Finding, color: bool = False) -> str:
    """``Level [CODE] (Kind ns/name file:line) Message`` (row IA-02)."""
    level = f"\x1b[{_COLOURS[finding.level]}m{finding.level}\x1b[0m" if color else str(finding.level)
    where = " ".join(filter(None, (origin_of(finding), reference_of(finding))))
    return f"{level} [{finding.code}] ({_plain(where)}) {_plain(finding.message)}"


def _plain(text: str) -> str:
    """``text`` on one line and without what a terminal would obey: names come from files of anyone."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def as_documents(findings: Iterable[Finding]) -> list[Json]:
    """Findings for ``-o json`` and ``-o yaml``."""
    return [_document(finding) for finding in findings]


def _document(finding: Finding) -> Json:
    message = MESSAGES.get(finding.code)
    reference = reference_of(finding)
    return {
        "code": finding.code,
        "level": str(finding.level),
        "origin": origin_of(finding),
        **({"reference": reference} if reference else {}),
        "message": finding.message,
        **({"documentationUrl": message.url} if message is not None else {}),
    }


def reaches(finding: Finding, threshold: str) -> bool:
    """Whether a finding is of this level or worse."""
    return LEVELS[str(finding.level)] >= LEVELS[threshold]


def passed_over(paths: Iterable[str]) -> list[str]:
    """The files below the directories among ``paths`` that are not read, because of their names."""
    return [
        str(file)
        for path in paths
        if path != _STDIN and Path(path).is_dir()
        for file in sorted(Path(path).rglob("*"))
        if file.is_file() and file.suffix not in files.SUFFIXES
    ]
