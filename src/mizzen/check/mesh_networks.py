"""What is to be said of MeshNetworks that decode. An error keeps those that were in force before (row MC-30)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.api.mesh_networks import MeshNetworks, Network, NetworkGatewayAddress
from mizzen.api.reader import Problem
from mizzen.check import codes, rules


def notes_on_networks(networks: MeshNetworks) -> tuple[Problem, ...]:
    """Every note, with paths inside the block."""
    return tuple(problem for name, network in networks.networks.items() for problem in _network(name, network))


def _network(name: str, network: Network) -> Iterator[Problem]:
    where = f"networks.{name}"
    for index, members in enumerate(network.endpoints):
        path = f"{where}.endpoints[{index}]"
        if bool(members.from_cidr) == bool(members.from_registry):
            yield Problem(path=path, message="either fromCidr or fromRegistry is required")
        elif members.from_cidr and not rules.is_cidr(members.from_cidr):
            yield Problem(path=f"{path}.fromCidr", message=f"{members.from_cidr!r} is no range of addresses")
    registered = any(members.from_registry for members in network.endpoints)
    for index, gateway in enumerate(network.gateways):
        yield from _gateway(f"{where}.gateways[{index}]", gateway, registered=registered)


def _gateway(path: str, gateway: NetworkGatewayAddress, *, registered: bool) -> Iterator[Problem]:
    if bool(gateway.address) == bool(gateway.registry_service_name):
        yield Problem(path=path, message="either address or registryServiceName is required")
    if not 0 < gateway.port < 65536:
        yield Problem(path=f"{path}.port", message=f"{gateway.port} is no port")
    if gateway.registry_service_name and not registered:
        message = "no cluster to look for the service in: the network has no endpoints with fromRegistry"
        yield _warn(f"{path}.registryServiceName", message)
    if gateway.locality:
        message = "has no effect: a gateway counts as being where the endpoints behind it are"
        yield _warn(f"{path}.locality", message)


def _warn(path: str, message: str) -> Problem:
    return Problem(path=path, message=message, fatal=False, code=codes.ADVICE)
