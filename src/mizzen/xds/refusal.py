"""What a proxy's refusal (a NACK) says about which resource.

Envoy applies clusters and listeners one by one and reports the bad ones by name; of every other type, the first bad
resource stops the rest of the response. Names come from the text of ``error_detail``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mizzen.model.resources import CLUSTER, LISTENER

REASON_LIMIT = 4096
"""Characters of a proxy's text that are kept."""

_PARTIAL = {CLUSTER: "Error adding/updating cluster(s)", LISTENER: "Error adding/updating listener(s)"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """``version`` of the resource was refused for ``reason``, Envoy's own words."""

    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``guilty`` maps names to reasons. ``rest_applied`` says that Envoy took the other resources of the response."""

    guilty: dict[str, str]
    rest_applied: bool


def judge(type_url: str, names: Iterable[str], reason: str) -> Verdict:
    """Which of the ``names`` in a refused response the proxy means. An empty ``guilty``: its text does not say."""
    reason = reason[:REASON_LIMIT]
    names = tuple(names)
    prefix = _PARTIAL.get(type_url)
    if prefix is None or not reason.startswith(prefix):
        # One resource alone needs no name in the text.
        return Verdict({names[0]: reason} if len(names) == 1 else {}, rest_applied=False)
    text = reason.removeprefix(prefix).lstrip()
    found = _positions(names, text)
    starts = [*(start for start, _ in found), len(text)]
    guilty = {
        name: text[start + len(name) + 1 : starts[index + 1]].strip(" ,\n") for index, (start, name) in enumerate(found)
    }
    return Verdict(guilty, rest_applied=bool(guilty))


def _positions(names: Iterable[str], text: str) -> list[tuple[int, str]]:
    """Where a name begins an entry ``name: reason``, in the order of the text."""
    found = []
    for name in names:
        match = re.search(rf"(?:^|[\s,]){re.escape(name)}: ", text)
        if match is not None:
            found.append((match.end() - len(name) - 2, name))
    return sorted(found)
