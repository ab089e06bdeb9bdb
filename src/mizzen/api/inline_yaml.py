"""YAML inside a text of an object, such as an annotation, which any user of a namespace may write.

LibYAML's composer recurses without a limit of its own, so that deep nesting would end the process; and aliases of aliases are
small until they are written out. Both are counted over the parser's events, before anything is made of them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import yaml

from mizzen.api.reader import MAX_DEPTH

MAX_CHARACTERS = 256 * 1024
"""What Kubernetes allows for all annotations of an object."""
MAX_VALUES = 100_000
"""Values, with every alias counted as all that it stands for."""
_TAG = "tag:yaml.org,2002:"
_OTHERS = frozenset(_TAG + name for name in ("binary", "omap", "pairs", "set", "timestamp"))
"""Kinds of values that JSON does not have."""


class _Loader(yaml.CSafeLoader):
    """Values that JSON has: a date stays text, as in Kubernetes."""

    yaml_implicit_resolvers: dict[str, Any] = {  # noqa: RUF012 (the name and the type are PyYAML's)
        first: [(tag, pattern) for tag, pattern in found if tag not in _OTHERS]
        for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: ClassVar[dict[Any, Any]] = {
        tag: make for tag, make in yaml.CSafeLoader.yaml_constructors.items() if tag not in _OTHERS
    }


def load(text: str) -> Any:
    """The value of one document, as JSON has them. Raises ValueError with one line that says what is wrong."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"longer than {MAX_CHARACTERS} characters")
    try:
        _bounded(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {str(error).splitlines()[0]}") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError):  # of PyYAML's own, for ``!!bool x`` and the like
        raise ValueError("not YAML: a value does not fit its tag") from None


def _bounded(text: str) -> None:
    """Raises ValueError where the value would be too deep, too large, or part of itself."""
    count = _Count()
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            count.open(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            count.close()
        elif isinstance(event, yaml.NodeEvent):
            count.one(event.anchor, alias=isinstance(event, yaml.AliasEvent))


class _Count:
    """Of the values in every block that is open, outermost first, and in those that have a name."""

    def __init__(self) -> None:
        self._totals = [0]
        self._names: list[str | None] = []
        self._sizes: dict[str | None, int] = {}

    def open(self, name: str | None) -> None:
        self._totals.append(1)
        self._names.append(name)
        if len(self._names) > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep")

    def close(self) -> None:
        size = self._totals.pop()
        self._sizes[self._names.pop()] = size
        self._add(size)

    def one(self, name: str | None, *, alias: bool) -> None:
        if alias and name in self._names:
            raise ValueError("not YAML: an alias refers to a block that it is part of")
        if not alias:
            self._sizes[name] = 1
        self._add(self._sizes.get(name, 1))

    def _add(self, size: int) -> None:
        self._totals[-1] += size
        if self._totals[-1] > MAX_VALUES:
            raise ValueError(f"larger than {MAX_VALUES} values")
