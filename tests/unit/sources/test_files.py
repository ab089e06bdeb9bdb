"""YAML text becomes documents with lines; one error costs one document."""

from pathlib import Path

import pytest

from mizzen.sources.files import load, parse, parse_value

TEXT = """# a comment
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  a.b: 2020-01-01
---
a: b: c
---
kind: List
items:
- kind: X
  spec: [1, 1e3, yes, 'no', ~, 0644]
- kind: Y
---
a: 1
a: 2
"""


def test_documents_and_lines() -> None:
    loaded = parse(TEXT, "f.yaml")
    config_map, x, y = loaded.documents
    assert config_map.raw["data"] == {"a.b": "2020-01-01"}
    assert x.raw["spec"] == [1, 1000.0, True, "no", None, 420]
    assert [(d.origin.file, d.origin.line) for d in (config_map, x, y)] == [
        ("f.yaml", 2),
        ("f.yaml", 12),
        ("f.yaml", 14),
    ]
    assert config_map.line_of('data["a.b"]') == 6
    assert config_map.line_of("metadata.nothing.here") == 4
    assert x.line_of("spec[1]") == 13
    assert (config_map.line_of_scalar('data["a.b"]'), x.line_of_scalar("spec[1]")) == (6, 13)
    assert (config_map.line_of_scalar("data"), config_map.line_of_scalar("metadata.nothing")) == (0, 0)
    assert [(f.line, f.code) for f in loaded.findings] == [(8, "MZ0001"), (17, "MZ0001")]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{n}: &{n} [{','.join(['*' + p] * 10)}]\n" for p, n in zip("abcde", "bcdef", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "aliases"),
        ("a: &a\n  b: *a\n", "part of"),
        ("[" * 100_000, "nested"),
        ("- " * 5_000, "nested"),
        ("? [a]\n: b\n", "plain text"),
        ("a: {<<: 5}\n", "<<"),
        ("a: \x00", "not YAML"),
    ],
)
def test_hostile_text_is_one_finding(text: str, message: str) -> None:
    loaded = parse(text, "f")
    assert loaded.documents == ()
    assert len(loaded.findings) == 1
    assert message in loaded.findings[0].message


def test_merge_keys_and_huge_numbers() -> None:
    assert parse("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n").documents[0].raw["b"] == {"x": 1, "y": 3}
    assert parse("a: " + "9" * 100).documents[0].raw == {"a": float("inf")}


def test_json_with_tabs() -> None:
    assert parse('{\n\t"a": 1}', "f.json").documents[0].raw == {"a": 1}


def test_empty_documents_are_nothing() -> None:
    assert parse("---\n# only a comment\n---\n\n...\n") == parse("")


def test_values() -> None:
    assert parse_value("a: 1") == {"a": 1}
    assert parse_value("") is None
    with pytest.raises(ValueError, match="line 1"):
        parse_value("a: b: c")


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.json").write_text('{"kind": "B"}')
    (tmp_path / "a.yml").write_text("kind: A")
    (tmp_path / "c.txt").write_text("kind: C")
    assert [d.raw["kind"] for d in load([tmp_path]).documents] == ["A", "B"]
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\xfa")
    loaded = load([tmp_path / "missing.yaml", tmp_path / "bad.yaml", tmp_path / "a.yml"])
    assert len(loaded.documents) == 1
    assert ["no such file" in f.message or "UTF-8" in f.message for f in loaded.findings] == [True, True]


def test_text_that_is_no_object_is_a_finding() -> None:
    loaded = parse("just text\n---\n- a\n- b\n---\nkind: X\n---\nkind: List\nitems: [1]\n", "f.yaml")
    assert [document.raw for document in loaded.documents] == [{"kind": "X"}]
    assert [(finding.line, finding.message) for finding in loaded.findings] == [
        (1, "not an object, but 'just text'"),
        (3, "not an object, but a list of 2"),
        (9, "not an object, but 1"),
    ]
