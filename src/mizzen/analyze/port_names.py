"""Names of Service ports that do not say what the port carries (IST0118, IST0150)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import Raw, blocks, number, text
from mizzen.analyze.selection import generated_or_istios
from mizzen.model.finding import Finding
from mizzen.model.protocol import says_what

_MANAGERS = ("gateway-controller", "mesh-controller", "eastwest-controller")


def port_names(estate: Estate) -> Iterator[Finding]:
    for service in estate.of("Service"):
        if not generated_or_istios(service.labels, _MANAGERS):
            yield from _of(service)


def _of(service: Subject) -> Iterator[Finding]:
    external = text(service.raw, "spec", "type") == "ExternalName"
    for index, port in enumerate(blocks(service.raw, "spec", "ports")):
        field = f"spec.ports[{index}].port"
        if external:
            if text(port, "name") == "tcp" or not _says_what(port):
                yield service.finding("IST0150", field)
        elif not _says_what(port):
            name, target = text(port, "name"), text(port, "targetPort") or "0"
            yield service.finding("IST0118", field, name=f'"{name}"', port=number(port, "port"), target=target)


def _says_what(port: Raw) -> bool:
    app_protocol = text(port, "appProtocol") or None
    return says_what(text(port, "name"), number(port, "port"), text(port, "protocol"), app_protocol)
