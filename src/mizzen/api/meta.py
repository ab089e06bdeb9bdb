"""What every object has: metadata, where it was written, and scalar types of protobuf's JSON form."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, field

_DURATION = re.compile(r"^(-?\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
_NANOS = {
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}


class Duration:
    """A protobuf duration, held as whole nanoseconds. ``5s``, ``1.5s`` and Go's ``1h30m``, ``200ms`` are understood."""

    __slots__ = ("nanos",)

    def __init__(self, nanos: int) -> None:
        self.nanos = nanos

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read a duration. Raises ValueError when ``text`` is none."""
        rest, total = text.strip(), 0
        if not rest:
            raise ValueError("a duration may not be empty")
        if rest == "0":
            return cls(0)
        while rest:
            match = _DURATION.match(rest)
            if match is None:
                raise ValueError(f"{text!r} is not a duration such as 5s or 200ms")
            total += round(float(match[1]) * _NANOS[match[2]])
            rest = rest[match.end() :]
        return cls(total)

    @property
    def seconds(self) -> float:
        return self.nanos / 1e9

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and other.nanos == self.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __repr__(self) -> str:
        return f"Duration({self.seconds}s)"

    def __str__(self) -> str:
        return f"{self.seconds:g}s"


class Origin(Struct, frozen=True):
    """The user's own file and the line (1-based) where the document of an object begins."""

    file: str
    line: int = 0


class OwnerReference(Struct, frozen=True, kw_only=True, rename="camel"):
    api_version: str = field(default="", name="apiVersion")
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Struct, frozen=True, kw_only=True, rename="camel"):
    """Kubernetes' object metadata, the part that Mizzen reads. ``creation_timestamp`` is RFC 3339 text; it sorts."""

    name: str = ""
    namespace: str = ""
    generate_name: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    owner_references: tuple[OwnerReference, ...] = ()


class Object(Struct, frozen=True, kw_only=True):
    """One decoded object.

    ``kind`` is the key in :data:`mizzen.api.kinds.KINDS`; ``body`` has that kind's type: the ``spec`` of Istio's
    kinds, the whole document of Kubernetes' own.
    """

    kind: str
    meta: ObjectMeta
    body: Any
    origin: Origin | None = None
    status: Any = None
    """Only of kinds whose status counts in the mesh (``KindInfo.status``)."""

    @property
    def name(self) -> str:
        return self.meta.name

    @property
    def namespace(self) -> str:
        return self.meta.namespace

    @property
    def age_key(self) -> tuple[str, str, str]:
        """Sorts the older first, equal times by name, then namespace (row CM-11)."""
        return (self.meta.creation_timestamp, self.meta.name, self.meta.namespace)


class LabelSelector(Struct, frozen=True, kw_only=True, rename="camel"):
    match_labels: dict[str, str] = {}

    def matches(self, labels: dict[str, str]) -> bool:
        return all(labels.get(key) == value for key, value in self.match_labels.items())


class WorkloadSelector(LabelSelector, frozen=True, kw_only=True, rename="camel"):
    """The selector of Sidecar, ServiceEntry and EnvoyFilter, which spell the same thing ``labels``."""

    match_labels: dict[str, str] = field(default={}, name="labels")


class TargetRef(Struct, frozen=True, kw_only=True):
    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
