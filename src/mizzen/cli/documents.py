"""Documents from ``-f PATH…``, each with the file and line it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mizzen.cli.failure import Exit, Failure
from mizzen.cli.findings import as_json

if TYPE_CHECKING:
    from mizzen.sources.files import Document

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Read:
    """``documents`` are {"object": raw, "origin": {"file", "line"}}; ``findings`` tell what could not be read."""

    documents: list[Json]
    findings: list[Json]
    sources: Sequence[Document] = ()

    @property
    def objects(self) -> list[Json]:
        return [document["object"] for document in self.documents]

    def located(self, finding: Json) -> Json:
        """The finding with the line of its own field: the mesh knows only where the object begins."""
        source = self._source(finding) if finding.get("field") else None
        return finding if source is None else {**finding, "line": source.line_of(finding["field"])}

    def _source(self, finding: Json) -> Document | None:
        """The document that begins where the finding is, else the first one of its object: a file may hold two of a name."""
        key = tuple(finding.get(part, "") for part in ("kind", "namespace", "name"))
        of_file = [
            (document["origin"]["line"] == finding.get("line"), source)
            for document, source in zip(self.documents, self.sources, strict=True)
            if finding.get("file") == document["origin"]["file"]
            and (_key(document["object"]) == key or not finding.get("name"))
        ]
        return max(of_file, key=lambda found: found[0])[1] if of_file else None


def _key(raw: Json) -> tuple[str, str, str]:
    metadata = raw.get("metadata") if isinstance(raw.get("metadata"), dict) else {}
    return str(raw.get("kind", "")), str((metadata or {}).get("namespace", "")), str((metadata or {}).get("name", ""))


def read(paths: Sequence[str], namespace: str | None = None) -> Read:
    """Read files, directories and ``-`` (stdin).

    Objects without a namespace get ``namespace``, else ``default``; one that names another than ``-n`` is a usage error,
    as with kubectl. What cannot be read is a finding.
    """
    found = read_as_written(paths)
    documents = [{**document, "object": placed(document["object"], namespace)} for document in found.documents]
    return Read(documents, found.findings, found.sources)


def read_as_written(paths: Sequence[str]) -> Read:
    """Read files, directories and ``-``, and change nothing in what they say."""
    from mizzen.sources import files

    loaded = files.load(paths)
    sources = [document for document in loaded.documents if isinstance(document.raw, dict)]
    documents = [{"object": d.raw, "origin": {"file": d.origin.file, "line": d.origin.line}} for d in sources]
    return Read(documents, [as_json(finding) for finding in loaded.findings], sources)


def placed(raw: Json, namespace: str | None) -> Json:
    """``raw`` with its namespace filled in; cluster-scoped and unknown kinds stay as they are."""
    from mizzen.api.kinds import kind_of

    info = kind_of(str(raw.get("apiVersion", "")), str(raw.get("kind", "")))
    metadata = raw.get("metadata")
    if info is None or not info.namespaced or not isinstance(metadata, dict):
        return raw
    own = metadata.get("namespace")
    if own and namespace and own != namespace:
        raise Failure(
            f"{raw['kind']} {metadata.get('name')} is in namespace {own}, but -n says {namespace}",
            hint="leave out -n",
            code=Exit.USAGE,
        )
    return raw if own else {**raw, "metadata": {**metadata, "namespace": namespace or "default"}}
