"""Outcome: where a call ends, and every decision on the way with what was passed over and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The decisions in the order in which Envoy takes them."""

    LISTENER = "listener"
    INSPECTION = "listener filters"
    FILTER_CHAIN = "filter chain"
    TLS = "TLS"
    FILTERS = "filters"
    ROUTE_CONFIG = "route configuration"
    VIRTUAL_HOST = "virtual host"
    ROUTE = "route"
    ACTION = "action"


class Failure(StrEnum):
    """Why a call gets no further."""

    NO_LISTENER = "no listener matched"
    WAITS = "the listener filters wait for bytes that the client does not send"
    NO_FILTER_CHAIN = "no filter chains matched"
    TLS = "invalid TLS"
    MUTUAL_TLS = "invalid mTLS"
    PROTOCOL = "protocol error"
    NO_ROUTE_CONFIG = "no route configuration"
    NO_VIRTUAL_HOST = "no virtual host matched"
    TLS_REDIRECT = "tls required, sending 301"
    NO_ROUTE = "no route matched"
    NO_CLUSTER = "no such cluster"
    UNKNOWN = "not known to the simulator"

    @property
    def seen(self) -> str:
        """What the client sees."""
        return _SEEN[self]


_SEEN = {
    Failure.NO_LISTENER: "the connection is refused",
    Failure.WAITS: "the connection hangs",
    Failure.NO_FILTER_CHAIN: "the connection is reset (response flag NR)",
    Failure.TLS: "the TLS handshake fails",
    Failure.MUTUAL_TLS: "the TLS handshake fails for want of an accepted client certificate",
    Failure.PROTOCOL: "the proxy expects HTTP: 400, or the connection is closed (response flag DPE)",
    Failure.NO_ROUTE_CONFIG: "requests wait for a route configuration, then 404 (response flag NR)",
    Failure.NO_VIRTUAL_HOST: "404 (response flag NR)",
    Failure.TLS_REDIRECT: "301 to the same URL with https",
    Failure.NO_ROUTE: "404 (response flag NR)",
    Failure.NO_CLUSTER: "503 (response flag NC), or a closed connection where it is no HTTP",
    Failure.UNKNOWN: "not known: the configuration holds something that the simulator does not model",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could have been chosen."""

    name: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Step:
    """One decision. ``chosen`` is empty when nothing fitted; then ``why`` says what Envoy does instead."""

    stage: Stage
    chosen: str
    why: str
    others: tuple[Candidate, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.stage}: {self.chosen or '(none)'}: {self.why}"]
        lines += [f"  not {other.name or '(unnamed)'}: {other.why_not}" for other in self.others]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster with its share of the calls. ``known``: the proxy has this cluster; without it the share answers 503."""

    cluster: str
    share: float = 1.0
    known: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that the proxy gives by itself."""

    status: int
    location: str = ""
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Names of what was chosen, empty as far as the call did not get there.

    Exactly one of ``error``, ``reply`` and ``targets`` says how it ends; a call to a cluster that is not there has
    both ``error`` and ``targets``, a redirect to https both ``error`` and ``reply``.
    """

    steps: tuple[Step, ...]
    error: Failure | None = None
    reply: Reply | None = None
    targets: tuple[Target, ...] = ()
    listener: str = ""
    filter_chain: str = ""
    route_config: str = ""
    virtual_host: str = ""
    route: str = ""

    @property
    def cluster(self) -> str:
        """The only cluster, or that with the largest share; empty when there is none."""
        return max(self.targets, key=lambda target: target.share).cluster if self.targets else ""

    def __str__(self) -> str:
        return "\n".join([*map(str, self.steps), self.summary])

    @property
    def summary(self) -> str:
        """How it ends, in one line."""
        if self.error is not None:
            return f"ends: {self.error}; {self.error.seen}"
        if self.reply is not None:
            return f"ends: the proxy answers {self.reply.status} {self.reply.location}".rstrip()
        return "ends: " + ", ".join(f"{t.share:.2%} to {t.cluster}" if t.share < 1 else t.cluster for t in self.targets)
