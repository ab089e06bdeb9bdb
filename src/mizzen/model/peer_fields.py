"""What Istio's expressions ask about the other side of a request (``upstream_peer``, ``downstream_peer``), and which of it
our proxies know (section 5.1.1 of the compatibility list, row TM-04)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PEER = re.compile(
    r"(?<![\w.'\"])(?:filter_state\.)?(?P<side>upstream|downstream)_peer"
    r"(?:\.labels\[\s*(?P<quote>['\"])(?P<label>[^'\"]+)(?P=quote)\s*\](?:\.value\b)?|\.(?P<field>[A-Za-z_]+))"
)
_LABELS = {
    "app": "app",
    "version": "version",
    "service.istio.io/canonical-name": "canonical-name",
    "service.istio.io/canonical-revision": "canonical-revision",
}
_FIELDS = {
    "app": "app",
    "version": "version",
    "name": "workload",
    "workload": "workload",
    "workload_name": "workload",
    "namespace": "namespace",
    "cluster": "cluster",
    "cluster_id": "cluster",
    "service": "canonical-name",
    "canonical_name": "canonical-name",
    "revision": "canonical-revision",
    "canonical_revision": "canonical-revision",
}


@dataclass(frozen=True)
class PeerField:
    """``text`` as it was written; ``name`` is our own for what it asks, empty where no proxy of ours knows it."""

    text: str
    upstream: bool
    name: str


def peer_fields(expression: str) -> Iterator[PeerField]:
    """What ``expression`` asks about peers, from left to right."""
    return map(_field, _PEER.finditer(expression))


def with_peer_fields(expression: str, wanted: Callable[[PeerField], str]) -> str:
    """``expression`` with what ``wanted`` gives in the place of each field."""
    return _PEER.sub(lambda found: wanted(_field(found)), expression)


def _field(found: re.Match[str]) -> PeerField:
    name = _LABELS.get(found["label"]) if found["label"] else _FIELDS.get(found["field"])
    return PeerField(found.group(), found["side"] == "upstream", name or "")
