"""How a command ends: the exit codes of the product, and the exception that carries one."""

from __future__ import annotations

from enum import IntEnum

from mizzen.errors import MeshError


class Exit(IntEnum):
    """The same in every output format."""

    DONE = 0
    ERROR = 1
    """An error, or an object was refused."""
    USAGE = 2
    CHECK_FAILED = 3
    """``validate`` found an error, or a check failed."""
    NOT_READY = 4
    """Timeout, or not ready."""
    DISAGREEMENT = 5
    NOT_STARTED = 125
    """``exec`` and ``run``: the command could not start."""
    INTERRUPTED = 130


class Failure(MeshError):
    """Ends the command with ``code``. ``hint`` is the next step for the person at the terminal; no text, no message."""

    def __init__(self, message: str = "", *, hint: str = "", code: Exit = Exit.ERROR) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
