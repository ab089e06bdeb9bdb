"""What the validator of each kind says, as messages of the analysis (IST0106, IST0130, IST0131, IST0133)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from mizzen.analyze.estate import Estate
from mizzen.analyze.messages import MESSAGES
from mizzen.model.finding import Finding, Level

KINDS = (
    "AuthorizationPolicy",
    "DestinationRule",
    "EnvoyFilter",
    "Gateway",
    "MeshConfig",
    "MeshNetworks",
    "PeerAuthentication",
    "ProxyConfig",
    "RequestAuthentication",
    "ServiceEntry",
    "Sidecar",
    "Telemetry",
    "TrafficExtension",
    "VirtualService",
    "WasmPlugin",
    "WorkloadEntry",
    "WorkloadGroup",
)
"""The kinds with a validator, each with an analyzer ``schema.ValidationAnalyzer.KIND``."""

_KEPT = ("IST0130", "IST0131", "MZ0020")
_ELSEWHERE = ("IST0134",)
"""Codes that an analyzer of ours gives by its own rules."""
_DELAY = ".fault.delay.percent"


def of_kind(kind: str) -> Callable[[Estate], Iterator[Finding]]:
    """The analyzer of one kind."""

    def run(estate: Estate) -> Iterator[Finding]:
        for subject in estate.of(kind):
            yield from filter(None, map(_message, subject.judged))

    return run


def of_others(estate: Estate) -> Iterator[Finding]:
    """Objects of every other kind that would be refused: a mesh without them is not the one that was meant."""
    for kind in sorted(estate.kinds - set(KINDS)):
        for subject in estate.of(kind):
            yield from filter(None, (_message(found) for found in subject.judged if found.level is Level.ERROR))


def _message(finding: Finding) -> Finding | None:
    if finding.code in _ELSEWHERE or (finding.code == "IST0002" and finding.field.endswith(_DELAY)):
        return None
    if finding.code in _KEPT:
        return finding
    code = "IST0106" if finding.level is Level.ERROR else "IST0133"
    text = f"{finding.field}: {finding.message}" if finding.field else finding.message
    return msgspec.structs.replace(finding, code=code, level=MESSAGES[code].level, message=text)
