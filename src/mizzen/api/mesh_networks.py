"""MeshNetworks (ConfigMap ``istio``, key ``meshNetworks``). Source: istio/api mesh/v1alpha1 network.proto, row MC-30."""

from __future__ import annotations

from msgspec import Struct


class NetworkEndpoints(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which endpoints are in a network: those of a cluster, by its id, or those whose address is in a range."""

    from_cidr: str = ""
    from_registry: str = ""


class NetworkGatewayAddress(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a network is entered from others: an address, or the hostname of a Service of the network's clusters."""

    address: str = ""
    registry_service_name: str = ""
    port: int = 0
    locality: str = ""


class Network(Struct, frozen=True, kw_only=True):
    endpoints: tuple[NetworkEndpoints, ...] = ()
    gateways: tuple[NetworkGatewayAddress, ...] = ()


class MeshNetworks(Struct, frozen=True, kw_only=True):
    """The networks by name."""

    networks: dict[str, Network] = {}
