"""A Kubernetes EndpointSlice that somebody wrote by hand: addresses and ports that a proxy could connect to (row OL-12)."""

from __future__ import annotations

import ipaddress

from mizzen.api.kubernetes import EndpointSlice
from mizzen.check.notes import Notes

_VERSIONS = {"IPv4": 4, "IPv6": 6}


def validate(body: EndpointSlice, notes: Notes) -> None:
    for index, port in enumerate(body.ports):
        notes.need(0 <= port.port <= 65535, f"ports[{index}].port", f"{port.port} is no port")
    version = _VERSIONS.get(body.address_type)
    if version is None:
        return
    for index, endpoint in enumerate(body.endpoints):
        for place, address in enumerate(endpoint.addresses):
            path = f"endpoints[{index}].addresses[{place}]"
            notes.need(_is_address(address, version), path, f"{address!r} is no {body.address_type} address")


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
