"""The annotations that users may set on a pod, checked (rows AN-03..10). A bad value refuses the pod, and the analysis tells it (IM-14)."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable

from mizzen.model.quantity import canonical

TRAFFIC = "traffic.sidecar.istio.io/"
SIDECAR = "sidecar.istio.io/"
READINESS = "readiness.status.sidecar.istio.io/"
STATUS_PORT = "status.sidecar.istio.io/port"
REROUTE = "istio.io/reroute-virtual-interfaces"
BOOLEANS = {"1": True, "t": True, "T": True, "true": True, "TRUE": True, "True": True}
BOOLEANS |= {"0": False, "f": False, "F": False, "false": False, "FALSE": False, "False": False}
"""What Go's strconv.ParseBool reads."""

_INTERFACE = re.compile(r"^[A-Za-z0-9_.:+\-]{1,15}$")


def _ranges(text: str, star: bool = False) -> None:
    if star and text == "*":
        return
    for part in filter(None, text.split(",")):
        try:
            if "/" not in part:
                raise ValueError
            ipaddress.ip_network(part.strip(), strict=False)
        except ValueError:
            raise ValueError(f"{part!r} is not an address range such as 10.0.0.0/8") from None


def _outbound_ranges(text: str) -> None:
    _ranges(text, star=True)


def _port(text: str) -> None:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise ValueError(f"{text!r} is not a port")


def _ports(text: str) -> None:
    for part in filter(None, text.split(",")):
        _port(part.strip())


def _ports_or_star(text: str) -> None:
    if text != "*":
        _ports(text)


def _interfaces(text: str) -> None:
    for part in filter(None, text.split(",")):
        if not _INTERFACE.match(part.strip()):
            raise ValueError(f"{part!r} is not the name of a network interface")


def _unsigned(text: str) -> None:
    if not text.isdigit() or int(text) >= 2**32:
        raise ValueError(f"{text!r} is not an unsigned integer")


def _boolean(text: str) -> None:
    if text not in BOOLEANS:
        raise ValueError(f"{text!r} is neither true nor false")


def _mode(text: str) -> None:
    if text not in ("REDIRECT", "TPROXY", "NONE"):
        raise ValueError(f"{text!r} is not REDIRECT, TPROXY or NONE")


def _object(text: str) -> None:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
        raise ValueError("not a JSON map of names to objects")


def _quantity(text: str) -> None:
    canonical(text)


_CHECKS: dict[str, Callable[[str], None]] = {
    SIDECAR + "interceptionMode": _mode,
    SIDECAR + "proxyCPU": _quantity,
    SIDECAR + "proxyCPULimit": _quantity,
    SIDECAR + "proxyMemory": _quantity,
    SIDECAR + "proxyMemoryLimit": _quantity,
    SIDECAR + "userVolume": _object,
    SIDECAR + "userVolumeMount": _object,
    SIDECAR + "rewriteAppHTTPProbers": _boolean,
    SIDECAR + "nativeSidecar": _boolean,
    "prometheus.istio.io/merge-metrics": _boolean,
    STATUS_PORT: _port,
    READINESS + "initialDelaySeconds": _unsigned,
    READINESS + "periodSeconds": _unsigned,
    READINESS + "failureThreshold": _unsigned,
    TRAFFIC + "includeOutboundIPRanges": _outbound_ranges,
    TRAFFIC + "excludeOutboundIPRanges": _ranges,
    TRAFFIC + "includeInboundPorts": _ports_or_star,
    TRAFFIC + "excludeInboundPorts": _ports,
    TRAFFIC + "excludeOutboundPorts": _ports,
    TRAFFIC + "excludeInterfaces": _interfaces,
    TRAFFIC + "kubevirtInterfaces": _interfaces,
    REROUTE: _interfaces,
}


def problems(annotations: dict[str, str]) -> list[tuple[str, str]]:
    """(annotation, what is wrong with it) for every annotation whose value cannot be used, in name order."""
    found = []
    for name in sorted(annotations.keys() & _CHECKS.keys()):
        try:
            _CHECKS[name](str(annotations[name]))
        except ValueError as error:
            found.append((name, str(error)))
    return found
