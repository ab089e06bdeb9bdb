"""A finding: something about what a user wrote that the user should know. Webhook, CLI and console render this one type."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mizzen.api.meta import Object

REJECTED = "MZ0305"
"""An object, or a part of one, that is left out because an older one has its place; counted by the control plane."""
CONFLICTING_HOSTS = "IST0109"
"""Two VirtualServices claim one host of the mesh; the control plane counts them (row VS-08)."""
DUPLICATE_SUBSET = "MZ0006"
"""Two rules of one host have a subset of one name; the control plane counts them (row DR-03)."""

LISTENER_TAKEN = "MZ0306"
"""A service port without a listener of its own, because an older one has its place; the control plane counts them (PR-11)."""
PROTOCOLS_DIFFER = "IST0116"
"""Two services of one container port with different protocols; the control plane counts them (row IL-03)."""
PORTS_DIFFER = "IST0137"
"""Two services of one container port with different ports of their own."""


class Level(StrEnum):
    ERROR = "Error"
    WARNING = "Warning"
    INFO = "Info"


class Finding(Struct, frozen=True, kw_only=True, order=True):
    """``code`` is Istio's IST number where one exists, else ours (``MZ…``). ``field`` is a path such as
    ``spec.http[0].route[1].destination.subset``. ``line`` is 1-based, 0 when unknown."""

    code: str
    level: Level
    message: str
    kind: str = ""
    namespace: str = ""
    name: str = ""
    field: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        subject = f"{self.kind} {self.namespace}/{self.name}" if self.kind else ""
        path = f" {self.field}" if self.field else ""
        return f"{where}{self.level} [{self.code}] ({subject}{path}) {self.message}"


def about(obj: Object, code: str, level: Level, message: str, field: str = "") -> Finding:
    """A finding about one field of ``obj``."""
    origin = obj.origin
    return Finding(
        code=code,
        level=level,
        message=message,
        kind=obj.kind,
        namespace=obj.namespace,
        name=obj.name,
        field=field,
        file=origin.file if origin else "",
        line=origin.line if origin else 0,
    )
