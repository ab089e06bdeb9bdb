"""A Kubernetes Service: its ports as Kubernetes demands them where no API server stood in front, what those of an ExternalName
carry (rows OL-11, IM-34), and what has no effect."""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.api.kubernetes import Service, ServicePort
from mizzen.check import rules
from mizzen.check.codes import EXTERNAL_NAME_PORT
from mizzen.check.notes import Notes
from mizzen.check.validators import service_effects
from mizzen.model.protocol import Protocol

_NAMED = {"tcp", "udp", "grpc", "http", "http2", "http_proxy", "https", "tls", "mongo", "redis", "mysql"}
_APP_PROTOCOLS = {"kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss"}
_WELL_KNOWN = {25, 53, 3306, 27017}
"""Ports whose protocol is known without a name (row PR-04)."""


def validate(service: Service, notes: Notes) -> None:
    _ports(service.spec.ports, notes)
    service_effects.validate(service, notes)
    _names(service, notes)


def _ports(ports: Sequence[ServicePort], notes: Notes) -> None:
    """Kubernetes' own rules: numbers of ports, a name for each of several, no name and no number of a protocol twice."""
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        rules.port(notes, f"{path}.port", port.port)
        if isinstance(port.target_port, int) and port.target_port:
            rules.port(notes, f"{path}.targetPort", port.target_port)
        notes.need(bool(port.name) or len(ports) == 1, f"{path}.name", "each of several ports needs a name")
    rules.unique(notes, "spec.ports", [port.name for port in ports if port.name], "names of ports must differ")
    numbers = [f"{port.port}/{port.protocol or 'TCP'}" for port in ports]
    rules.unique(notes, "spec.ports", numbers, "ports must differ")


def _names(service: Service, notes: Notes) -> None:
    """Warns of ports that would be taken for bytes, and so for the traffic of every other host on the port."""
    labels = notes.obj.meta.labels
    if service.spec.type != "ExternalName" or "istio" in labels or labels.get("release") == "istio":
        return
    for index, port in enumerate(service.spec.ports):
        if port.name == "tcp" or not _says_what(port):
            notes.warn(
                f"spec.ports[{index}].name",
                "an ExternalName has no address of its own: name the port after its protocol (http, https, tcp-NAME)",
                EXTERNAL_NAME_PORT,
            )


def _says_what(port: ServicePort) -> bool:
    if port.protocol == Protocol.UDP.value or port.port in _WELL_KNOWN:
        return True
    word = (port.app_protocol if port.app_protocol is not None else port.name).lower()
    return word in _APP_PROTOCOLS or word.partition("-")[0] in _NAMED
