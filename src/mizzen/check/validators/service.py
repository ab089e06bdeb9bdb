"""A Kubernetes Service: its ports as Kubernetes demands them where no API server stood in front, what those of an ExternalName
carry (rows OL-11, IM-34), and what has no effect."""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.api.kubernetes import Service, ServicePort
from mizzen.check import rules
from mizzen.check.codes import EXTERNAL_NAME_PORT
from mizzen.check.notes import Notes
from mizzen.check.validators import service_effects
from mizzen.model.protocol import says_what


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
        if port.name == "tcp" or not says_what(port.name, port.port, port.protocol, port.app_protocol):
            notes.warn(
                f"spec.ports[{index}].name",
                "an ExternalName has no address of its own: name the port after its protocol (http, https, tcp-NAME)",
                EXTERNAL_NAME_PORT,
            )
