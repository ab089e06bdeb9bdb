"""YAML and JSON text becomes documents that know their file and line, down to the line of a single field.

Text is cut at its ``---`` lines first, so that a document with an error costs only itself. Scalars are read as
Kubernetes reads them (dates and ``1:30`` stay text). Aliases are followed up to a limit, so that a small file cannot
grow into a large one.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mizzen.api.meta import Origin
from mizzen.api.reader import key_text
from mizzen.model.finding import Finding, Level

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 500_000
MAX_DEPTH = 120
SUFFIXES = (".yaml", ".yml", ".json")

_MARKER = re.compile(r"^(---(?=\s|$)|\.\.\.\s*$)", re.MULTILINE)
_DEEP_LINE = re.compile(rf"^[ \-?\t]{{{MAX_DEPTH}}}", re.MULTILINE)
_STEP = re.compile(r'\.?([A-Za-z0-9_-]+)|\[(\d+)\]|\["((?:[^"])*)"\]')
_BOOL, _INT, _FLOAT, _NULL = (f"tag:yaml.org,2002:{t}" for t in ("bool", "int", "float", "null"))
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.CSafeLoader):
    """Resolves the scalars that Kubernetes' YAML has; used for nodes only, never to make objects."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (the name and the type are PyYAML's)


for _tag, _pattern, _first in (
    (_BOOL, r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$", "yYnNtTfFoO"),
    (_INT, r"^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$", "-+0123456789"),
    (_FLOAT, r"^(?:[-+]?(?:[0-9][0-9_]*)?\.?[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+\.|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+0123456789."),
    (_NULL, r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (_MERGE, r"^<<$", "<"),
):  # fmt: skip
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


@dataclass(frozen=True, eq=False)
class Document:
    """One document: plain values, and where they were written. ``node`` and ``offset`` serve :meth:`line_of`."""

    raw: Any
    origin: Origin
    node: yaml.Node | None = field(default=None, repr=False)
    offset: int = field(default=0, repr=False)

    def line_of(self, path: str) -> int:
        """The line (1-based) of a field path such as ``spec.http[0].route``; of its closest ancestor that is there."""
        node, line = self.node, self.origin.line
        for name, index, quoted in _STEP.findall(path):
            found = _step(node, name or quoted, index)
            if found is None:
                break
            line, node = _mark_line(found[0].start_mark) + self.offset, found[1]
        return line

    def line_of_scalar(self, path: str) -> int:
        """The line of a text or number at exactly this path; 0 when the document says nothing there."""
        node, line = self.node, 0
        for name, index, quoted in _STEP.findall(path):
            found = _step(node, name or quoted, index)
            if found is None:
                return 0
            line, node = _mark_line(found[0].start_mark) + self.offset, found[1]
        return line if isinstance(node, yaml.ScalarNode) else 0


@dataclass(frozen=True)
class Loaded:
    """What was read: documents in file order, and findings for what is no YAML."""

    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()


class _Unreadable(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def load(paths: Iterable[str | Path]) -> Loaded:
    """Read files, directories (recursively, in name order: .yaml, .yml, .json) and ``-`` (standard input).

    What cannot be read becomes a finding; nothing is raised.
    """
    documents: list[Document] = []
    findings: list[Finding] = []
    for path in paths:
        for file in _files(path, findings):
            try:
                text = _read(file)
            except (OSError, UnicodeDecodeError, _Unreadable) as error:
                findings.append(_finding(str(file), 0, f"cannot be read: {_reason(error)}"))
                continue
            loaded = parse(text, "<stdin>" if file == "-" else str(file))
            documents += loaded.documents
            findings += loaded.findings
    return Loaded(tuple(documents), tuple(findings))


def parse(text: str, file: str = "") -> Loaded:
    """Documents of one text; ``List`` kinds are flattened into their items."""
    documents: list[Document] = []
    findings: list[Finding] = []
    for chunk, offset in _chunks(text):
        try:
            _check_depth(chunk, offset)
            node = yaml.compose(chunk, Loader=_Loader)
            if node is None:
                continue
            reading = _Reading(file, offset, findings)
            raw = reading.value(node, 0, ())
            document = Document(raw, Origin(file, _mark_line(node.start_mark) + offset), node, offset)
            for found in _flattened(document):
                if isinstance(found.raw, dict):
                    documents.append(found)
                else:
                    findings.append(_finding(file, found.origin.line, f"not an object, but {_shape(found.raw)}"))
        except yaml.YAMLError as error:
            other = _json(chunk, Origin(file, offset + 1)) if file.endswith(".json") else None
            if other is not None:
                documents += _flattened(other)
            else:
                findings.append(_yaml_finding(error, file, offset))
        except _Unreadable as error:
            findings.append(_finding(file, error.line, str(error)))
        except RecursionError:
            findings.append(_finding(file, offset + 1, f"the document is nested more than {MAX_DEPTH} levels deep"))
    return Loaded(tuple(documents), tuple(findings))


def parse_value(text: str) -> Any:
    """The first document of a text, such as the mesh config inside a ConfigMap. Raises ValueError with the line."""
    loaded = parse(text)
    if loaded.findings:
        first = loaded.findings[0]
        raise ValueError(f"line {first.line}: {first.message}")
    return loaded.documents[0].raw if loaded.documents else None


def _files(path: str | Path, findings: list[Finding]) -> list[Any]:
    if str(path) == "-":
        return ["-"]
    path = Path(path)
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
        if not found:
            findings.append(_finding(str(path), 0, f"the directory holds no {', '.join(SUFFIXES)} file"))
        return found
    return [path]


def _read(file: Any) -> str:
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if file == "-" else _start_of(file)
    if len(data) > MAX_BYTES:
        raise _Unreadable(f"larger than {MAX_BYTES >> 20} MiB", 0)
    return data.decode("utf-8-sig")


def _start_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)


def _chunks(text: str) -> Iterator[tuple[str, int]]:
    """The text of each document with the number of lines before it."""
    starts = [0, *(m.start() for m in _MARKER.finditer(text) if m.start()), len(text)]
    line = 0
    held, held_line = "", 0
    for begin, end in itertools.pairwise(starts):
        piece = text[begin:end]
        if not held:
            held_line = line
        held += piece
        line += piece.count("\n")
        if _only_directives(held):
            continue
        yield held.removeprefix("..."), held_line
        held = ""


def _only_directives(text: str) -> bool:
    """Directives (``%YAML 1.2``) belong to the document after them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and all(line.startswith("%") for line in lines)


def _check_depth(text: str, offset: int) -> None:
    """Refuse deep nesting before the C composer sees it, which recurses without a limit of its own.

    The exact count over parser events is made only where brackets or indentation could reach that deep at all.
    """
    if text.count("[") + text.count("{") < MAX_DEPTH and not _DEEP_LINE.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                line = _mark_line(event.start_mark) + offset
                raise _Unreadable(f"nested more than {MAX_DEPTH} levels deep", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _mark_line(mark: Any) -> int:
    """PyYAML counts lines from 0; people count from 1."""
    return int(mark.line) + 1


class _Reading:
    """Makes plain values of nodes; counts them, so that aliases cannot multiply without end."""

    def __init__(self, file: str, offset: int, findings: list[Finding]) -> None:
        self.file, self.offset, self.findings = file, offset, findings
        self.left = MAX_VALUES

    def line(self, node: yaml.Node) -> int:
        return _mark_line(node.start_mark) + self.offset

    def value(self, node: yaml.Node, depth: int, parents: tuple[int, ...]) -> Any:
        self.left -= 1
        if self.left < 0:
            raise _Unreadable(f"aliases make the document larger than {MAX_VALUES} values", self.line(node))
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if depth >= MAX_DEPTH:
            raise _Unreadable(f"nested more than {MAX_DEPTH} levels deep", self.line(node))
        if id(node) in parents:
            raise _Unreadable("an alias refers to a block that it is part of", self.line(node))
        inside = (*parents, id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1, inside) for item in node.value]
        return self.mapping(node, depth, inside)

    def mapping(self, node: yaml.Node, depth: int, inside: tuple[int, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged |= self.merge(value_node, depth, inside)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise _Unreadable("a key must be plain text", self.line(key_node))
            key = key_text(self.scalar(key_node))
            if key in result:
                raise _Unreadable(f"the key {key!r} appears twice in one block", self.line(key_node))
            result[key] = self.value(value_node, depth + 1, inside)
        return {**merged, **result}

    def merge(self, node: yaml.Node, depth: int, inside: tuple[int, ...]) -> dict[str, Any]:
        value = self.value(node, depth + 1, inside)
        parts = value if isinstance(value, list) else [value]
        merged: dict[str, Any] = {}
        for part in reversed(parts):
            if not isinstance(part, dict):
                raise _Unreadable("<< takes a map or a list of maps", self.line(node))
            merged |= part
        return merged

    def scalar(self, node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        if node.tag == _NULL:
            return None
        if node.tag == _BOOL:
            return text.lower() in ("yes", "true", "on")
        if node.tag == _INT:
            return _integer(text)
        if node.tag == _FLOAT:
            return _float(text)
        return text


def _integer(text: str) -> int | float | str:
    digits = text.replace("_", "")
    if len(digits) > 40:
        return float("inf")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-").lower()
    try:
        if digits.startswith(("0x", "0b", "0o")):
            return sign * int(digits, 0)
        return sign * (int(digits, 8) if len(digits) > 1 and digits.startswith("0") else int(digits))
    except ValueError:
        return text


def _float(text: str) -> float | str:
    word = text.replace("_", "").lower()
    try:
        return float(word.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text


def _shape(raw: Any) -> str:
    """A few words for a document that is none."""
    text = repr(raw)
    return f"a list of {len(raw)}" if isinstance(raw, list) else text if len(text) <= 40 else f"{text[:40]}…"


def _flattened(document: Document) -> list[Document]:
    raw = document.raw
    if raw is None:
        return []
    kind = raw.get("kind") if isinstance(raw, dict) else None
    items = raw.get("items") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or not kind.endswith("List") or not (items is None or isinstance(items, list)):
        return [document]
    found = []
    for index, item in enumerate(items or ()):
        line = document.line_of(f"items[{index}]")
        step = _step(document.node, "items", "")
        node = step[1].value[index] if step and isinstance(step[1], yaml.SequenceNode) else None
        found += _flattened(Document(item, Origin(document.origin.file, line), node, document.offset))
    return found


def _step(node: yaml.Node | None, name: str, index: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that says where a child is (its key, or the item itself), and the child."""
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        return node.value[int(index)], node.value[int(index)]
    if isinstance(node, yaml.MappingNode) and name:
        for key, value in node.value:
            if key.value == name:
                return key, value
    return None


def _json(text: str, origin: Origin) -> Document | None:
    """JSON that the YAML parser does not take (tabs as indentation)."""
    try:
        return Document(json.loads(text), origin)
    except (ValueError, RecursionError):
        return None


def _yaml_finding(error: yaml.YAMLError, file: str, offset: int) -> Finding:
    mark = getattr(error, "problem_mark", None)
    line = (mark.line if mark is not None else 0) + 1 + offset
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    return _finding(file, line, f"not YAML: {problem}" + (f" ({context})" if context else ""))


def _finding(file: str, line: int, message: str) -> Finding:
    return Finding(code="MZ0001", level=Level.ERROR, message=message, file=file, line=line)
