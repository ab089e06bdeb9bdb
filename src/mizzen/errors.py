"""The exceptions of Mizzen.

::

    MeshError
    ├── DecodeError       a document is not an object of any kind we know
    ├── ProtocolError     a peer, or we, broke a protocol
    ├── CsrRejected       a certificate request that must not be signed
    ├── SigningFailed     a request that is good, but no certificate can be made now
    ├── Unauthenticated   a caller whose identity could not be proved
    └── LabError          the machine cannot do what was asked (no root, no iptables, a port in use)

What a user writes never raises out of the core: it becomes a :class:`mizzen.model.finding.Finding`.
"""


class MeshError(Exception):
    """The root of every exception that Mizzen raises on purpose."""


class DecodeError(MeshError):
    """A document that is no object: not YAML, no ``kind``, or a kind nobody knows.

    ``file`` and ``line`` (1-based, 0 when unknown) say where.
    """

    def __init__(self, message: str, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        return f"{where}{self.message}"


class ProtocolError(MeshError):
    """A message that the protocol does not allow at this point."""


class CsrRejected(MeshError):
    """A certificate request that must not be signed; ``reason`` is safe to send to the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SigningFailed(MeshError):
    """No certificate can be made at the moment, which is not the caller's fault; it may try again."""


class Unauthenticated(MeshError):
    """The caller proved no identity. The text is for our log; the caller is told no more than that it failed."""


class LabError(MeshError):
    """The machine cannot do what was asked. ``hint`` is the next step for the person at the terminal."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
