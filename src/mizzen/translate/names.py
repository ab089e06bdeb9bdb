"""Names of clusters and SNI as Istio makes them; users, Kiali and EnvoyFilters key on them (rows DR-06, OL-21)."""

from __future__ import annotations

from mizzen.model.service import Port, Service

PASSTHROUGH = "PassthroughCluster"
BLACK_HOLE = "BlackHoleCluster"
ANY_NAME = "AllowAnyDynamicDNSCluster"
"""The cluster of all names that nobody declared, under ALLOW_ANY_DYNAMIC_DNS (row MC-02)."""
PASSTHROUGH_CHAIN = "PassthroughFilterChain"
WILDCARD = "0.0.0.0"  # noqa: S104 - the address that Istio names these listeners after


def cluster(port: int, subset: str, hostname: str) -> str:
    """``outbound|<service port>|<subset or empty>|<hostname>``."""
    return f"outbound|{port}|{subset}|{hostname}"


def sni(port: int, subset: str, hostname: str) -> str:
    """The SNI that a mesh client sends: ``outbound_.<port>_.<subset or empty>_.<hostname>``."""
    return f"outbound_.{port}_.{subset}_.{hostname}"


def stat_name(pattern: str, service: Service, port: Port | None, subset: str) -> str:
    """The name of a cluster in statistics, with the variables of ``*ClusterStatName`` filled in; it ends in ``;`` so
    that the tag ends there (rows MC-25, OL-25)."""
    known = service.from_kubernetes and service.namespace
    values = {
        "%SERVICE%": f"{service.name}.{service.namespace}" if known else service.hostname,
        "%SERVICE_NAME%": service.name if known else service.hostname,
        "%SERVICE_FQDN%": service.hostname,
        "%SERVICE_PORT%": str(port.number) if port else "",
        "%SERVICE_PORT_NAME%": port.name if port else "",
        "%TARGET_PORT%": str(port.target or port.number) if port else "",
        "%SUBSET_NAME%": subset,
    }
    for variable, value in values.items():
        pattern = pattern.replace(variable, value)
    return f"{pattern};"
