"""Which Sidecar object counts for a proxy, and which hosts its egress list lets it see (rows SC-01, SC-02)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mizzen.api.meta import Object
from mizzen.api.sidecar import Sidecar
from mizzen.model.hosts import covers, overlap


def sidecar_for(
    sidecars: Sequence[Object], namespace: str, labels: dict[str, str], root_namespace: str
) -> Object | None:
    """``sidecars`` oldest first: one that selects the proxy, else its namespace's, else the root namespace's."""
    own = [obj for obj in sidecars if obj.namespace == namespace]
    for obj in own:
        selector = obj.body.workload_selector
        if selector is not None and selector.match_labels and selector.matches(labels):
            return obj
    for obj in (*own, *(obj for obj in sidecars if obj.namespace == root_namespace)):
        selector = obj.body.workload_selector
        if selector is None or not selector.match_labels:
            return obj
    return None


def of_sidecar(sidecar: Sidecar | None) -> list[str]:
    """The union of a Sidecar's egress host lists; without a Sidecar, or without a list, everything is seen."""
    return [host for listener in sidecar.egress for host in listener.hosts] if sidecar and sidecar.egress else ["*/*"]


class Egress:
    """A list of egress hosts, as a client in ``namespace`` reads it."""

    def __init__(self, hosts: Iterable[str], namespace: str) -> None:
        hosts = list(hosts)
        self._included = [self._split(host, namespace) for host in hosts if not host.startswith("~")]
        self._excluded = [self._split(host[1:], namespace) for host in hosts if host.startswith("~") and host != "~/*"]

    @staticmethod
    def _split(host: str, namespace: str) -> tuple[str, str]:
        where, _, dns = host.rpartition("/")
        return ({".": namespace, "": "*"}.get(where, where), dns)

    def sees(self, namespace: str, hostname: str) -> bool:
        """True when ``hostname`` of ``namespace`` is listed and not excluded."""
        return self._any(self._included, namespace, hostname) and not self._any(self._excluded, namespace, hostname)

    def concerns(self, namespace: str, host: str) -> bool:
        """True when a route for ``host``, which may be a wildcard, can be for something that is listed."""
        listed = any(where in ("*", namespace) and overlap(dns, host) for where, dns in self._included)
        return listed and not self._any(self._excluded, namespace, host)

    @staticmethod
    def _any(patterns: Iterable[tuple[str, str]], namespace: str, hostname: str) -> bool:
        return any(where in ("*", namespace) and covers(dns, hostname) for where, dns in patterns)
