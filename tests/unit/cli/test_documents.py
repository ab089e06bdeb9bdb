from __future__ import annotations

from pathlib import Path

import pytest

from mizzen.cli import documents
from mizzen.cli.failure import Exit, Failure

TEXT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
  - timeout: wrong
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "a.yaml"
    path.write_text(TEXT)
    return str(path)


def test_objects_without_a_namespace_get_one_and_cluster_wide_ones_do_not(file: str) -> None:
    assert [o["metadata"].get("namespace") for o in documents.read([file]).objects] == ["default", None]
    assert documents.read([file], "shop").objects[0]["metadata"]["namespace"] == "shop"
    assert "namespace" not in documents.read_as_written([file]).objects[0]["metadata"]


def test_another_namespace_than_asked_for_is_a_usage_error() -> None:
    raw = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "shop"}}
    with pytest.raises(Failure, match="is in namespace shop, but -n says bank") as error:
        documents.placed(raw, "bank")
    assert error.value.code == Exit.USAGE


def test_a_finding_gets_the_line_of_its_field(file: str) -> None:
    read = documents.read([file])
    finding = {"kind": "VirtualService", "namespace": "default", "name": "web", "file": file, "line": 1}
    assert read.located({**finding, "field": "spec.http[0].timeout"})["line"] == 7
    assert read.located(finding)["line"] == 1
    assert read.located({**finding, "name": "other", "field": "spec"})["line"] == 1


def test_of_two_documents_of_a_name_and_of_those_without_one_the_place_decides(tmp_path: Path) -> None:
    web = TEXT.partition("---")[0]
    nameless = web.replace("{name: web}", "{}")
    file = tmp_path / "a.yaml"
    file.write_text("---\n".join([web, web, nameless, nameless]))
    read = documents.read([str(file)])
    for name, line in (("web", 1), ("web", 9), ("", 17), ("", 25)):
        finding = {"kind": "VirtualService", "namespace": "default", "name": name, "file": str(file), "line": line}
        assert read.located({**finding, "field": "spec.http[0].timeout"})["line"] == line + 6


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_read(file: str, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("kind: [")
    read = documents.read([str(tmp_path)])
    assert len(read.objects) == 2
    assert [finding["file"] for finding in read.findings] == [str(tmp_path / "b.yaml")]
