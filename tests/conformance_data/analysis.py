"""Files and the messages that Istio's analyzers give for them: ``python -m tests.conformance_data.analysis`` prints a line a case."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from mizzen.analyze import ANALYZERS, analyze
from mizzen.model.finding import Finding
from mizzen.sources.estate import mesh_text, survey
from mizzen.sources.files import parse
from tests.conformance_data import data

FILE = "analyzers.json"


def findings_of(case: dict[str, Any]) -> list[Finding]:
    """What the analyzer of the case says about its files; a validator stands for those of all kinds."""
    documents = [document for file in case["inputs"] for document in parse(file["yaml"], file["path"]).documents]
    mesh = mesh_text(case["mesh_config"]) if case.get("mesh_config") else None
    networks = parse(case["mesh_networks"]).documents[0].raw if case.get("mesh_networks") else None
    read = survey(documents, namespace="", mesh=mesh, networks=networks)
    name = case["analyzer"]
    chosen = [found for found in ANALYZERS.values() if found.name == name or found.name.startswith(f"{name}.")]
    assert chosen, name
    return analyze(read.estate, chosen)


def seen(findings: list[Finding]) -> Counter[tuple[str, str]]:
    """(code, ``Kind ns/name``), each printed line once."""
    distinct = {(f.code, f.kind, f.namespace, f.name, f.message, f.field): f for f in findings}.values()
    return Counter(
        (f.code, f"{f.kind} {f.namespace}/{f.name}" if f.namespace else f"{f.kind} {f.name}") for f in distinct
    )


def difference(case: dict[str, Any]) -> str:
    """What we say and Istio does not, and the other way round; an empty text when they agree."""
    wanted = Counter((message["code"], message["resource"]) for message in case["expect"])
    ours = seen(findings_of(case))
    shared = set(case["shared_codes"])
    extra = {key: count for key, count in (ours - wanted).items() if key[0] not in shared}
    missing = wanted - ours
    said = [
        f"{sign}{code} {resource} x{count}"
        for sign, found in (("+", extra), ("-", missing))
        for (code, resource), count in sorted(found.items())
    ]
    return "; ".join(said)


def main() -> None:
    place = data.directory()
    assert place is not None, "set MIZZEN_CONFORMANCE"
    for case in json.loads((place / FILE).read_text()):
        wrong = difference(case)
        print(f"FAIL {case['id']} {wrong}" if wrong else f"ok {case['id']}")


if __name__ == "__main__":
    main()
