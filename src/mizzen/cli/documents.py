"""Documents from ``-f PATH…``, each with the file and line it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mizzen.cli.failure import Exit, Failure
from mizzen.cli.findings import as_json

Json = dict[str, Any]


class Read(NamedTuple):
    """``documents`` are {"object": raw, "origin": {"file", "line"}}; ``findings`` tell what could not be read."""

    documents: list[Json]
    findings: list[Json]

    @property
    def objects(self) -> list[Json]:
        return [document["object"] for document in self.documents]


def read(paths: Sequence[str], namespace: str | None = None) -> Read:
    """Read files, directories and ``-`` (stdin).

    Objects without a namespace get ``namespace``, else ``default``; one that names another than ``-n`` is a usage error,
    as with kubectl. What cannot be read is a finding.
    """
    found = read_as_written(paths)
    return Read([{**document, "object": placed(document["object"], namespace)} for document in found.documents], found.findings)


def read_as_written(paths: Sequence[str]) -> Read:
    """Read files, directories and ``-``, and change nothing in what they say."""
    from mizzen.sources import files

    loaded = files.load(paths)
    documents = [
        {"object": document.raw, "origin": {"file": document.origin.file, "line": document.origin.line}}
        for document in loaded.documents
        if isinstance(document.raw, dict)
    ]
    return Read(documents, [as_json(finding) for finding in loaded.findings])


def placed(raw: Json, namespace: str | None) -> Json:
    """``raw`` with its namespace filled in; cluster-scoped and unknown kinds stay as they are."""
    from mizzen.api.kinds import kind_of

    info = kind_of(str(raw.get("apiVersion", "")), str(raw.get("kind", "")))
    metadata = raw.get("metadata")
    if info is None or not info.namespaced or not isinstance(metadata, dict):
        return raw
    own = metadata.get("namespace")
    if own and namespace and own != namespace:
        raise Failure(f"{raw['kind']} {metadata.get('name')} is in namespace {own}, but -n says {namespace}", hint="leave out -n", code=Exit.USAGE)
    return raw if own else {**raw, "metadata": {**metadata, "namespace": namespace or "default"}}
