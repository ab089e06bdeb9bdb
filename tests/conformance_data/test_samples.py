"""What real users apply: every document is accepted, and every set of them translates for a sidecar and for a gateway."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.check import refused, validate
from mizzen.model.config import Config
from mizzen.resolve import build, view
from mizzen.translate import resources
from tests.conformance_data import data
from tests.meshes import router, sidecar

REFUSED_IN_A_CLUSTER_TOO = {
    "tests-integration-pilot-testdata-some-dir-missing-gateway-yaml": "a VirtualService without any route",
    "tests-testdata-networking-ingress-gateway-configs-yaml": "the name BACKEND: Kubernetes takes lower case only",
}
"""Istio's own test data that was never meant for an API server."""


def read(document: Any) -> tuple[Object | None, list[str]]:
    """The object of a document and the reasons to refuse it."""
    found = decode(document, namespace="default")
    reasons = [f"{p.path}: {p.message}" for p in found.problems if p.fatal]
    if found.object is not None and refused(findings := validate(found.object)):
        reasons += [str(finding) for finding in findings]
    return found.object, reasons


def test_every_document_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    documents = [(case["id"], document) for case in data.cases("samples.json") for document in case["documents"]]
    wrong = [f"{id_}: {'; '.join(reasons)}" for id_, document in documents if (reasons := read(document)[1])]
    data.score(capsys, "samples.json, documents accepted", len(documents) - len(wrong), len(documents))
    assert {text.partition(":")[0] for text in wrong} == REFUSED_IN_A_CLUSTER_TOO.keys(), "\n".join(wrong)


def test_every_set_translates(capsys: pytest.CaptureFixture[str]) -> None:
    cases = data.cases("samples.json")
    for case in cases:
        objects = [found for document in case["documents"] if (found := read(document)[0]) is not None]
        snapshot = build(Config().with_objects(objects))
        for proxy in (sidecar(namespace="default", app="productpage"), router()):
            assert resources(view(snapshot, proxy)).types, case["id"]
    data.score(capsys, "samples.json, sets translated", len(cases), len(cases))
