"""Where a validator writes what it sees of one object."""

from __future__ import annotations

from mizzen.api.meta import Object
from mizzen.check import codes
from mizzen.model.finding import Finding, Level


class Notes:
    """Collects the findings of one object. An error refuses the object, a warning does not."""

    def __init__(self, obj: Object) -> None:
        self.obj = obj
        self.findings: list[Finding] = []

    def error(self, path: str, message: str) -> None:
        self._add(codes.INVALID, Level.ERROR, path, message)

    def warn(self, path: str, message: str, code: str = codes.ADVICE) -> None:
        self._add(code, Level.WARNING, path, message)

    def inform(self, path: str, message: str, code: str) -> None:
        self._add(code, Level.INFO, path, message)

    def need(self, holds: bool, path: str, message: str) -> bool:
        """An error unless ``holds``, which is given back."""
        if not holds:
            self.error(path, message)
        return holds

    def _add(self, code: str, level: Level, path: str, message: str) -> None:
        origin = self.obj.origin
        self.findings.append(
            Finding(
                code=code,
                level=level,
                message=message,
                kind=self.obj.kind,
                namespace=self.obj.namespace,
                name=self.obj.name,
                field=path,
                file=origin.file if origin else "",
                line=origin.line if origin else 0,
            )
        )
