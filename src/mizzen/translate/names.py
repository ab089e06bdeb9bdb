"""Names of clusters and SNI as Istio makes them; users, Kiali and EnvoyFilters key on them (rows DR-06, OL-21)."""

from __future__ import annotations

PASSTHROUGH = "PassthroughCluster"
BLACK_HOLE = "BlackHoleCluster"
PASSTHROUGH_CHAIN = "PassthroughFilterChain"
WILDCARD = "0.0.0.0"  # noqa: S104 - the address that Istio names these listeners after


def cluster(port: int, subset: str, hostname: str) -> str:
    """``outbound|<service port>|<subset or empty>|<hostname>``."""
    return f"outbound|{port}|{subset}|{hostname}"


def sni(port: int, subset: str, hostname: str) -> str:
    """The SNI that a mesh client sends: ``outbound_.<port>_.<subset or empty>_.<hostname>``."""
    return f"outbound_.{port}_.{subset}_.{hostname}"
