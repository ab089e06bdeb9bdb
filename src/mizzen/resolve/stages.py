"""A change of modes of mutual TLS in stages, so that clients and servers agree at any moment (row PA-10).

Proxies learn of a change one after the other. Between PERMISSIVE and STRICT that harms nobody, for a client with a sidecar
speaks mutual TLS in both. To and from DISABLE it does: then servers take both kinds of connection while clients turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mizzen.api.meta import Object
from mizzen.model.config import Config, ObjectKey, Settling
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import MtlsMode
from mizzen.resolve.mtls import PeerPolicies, peer_policies, turns

_KIND = "PeerAuthentication"


def stages(previous: Snapshot, config: Config) -> tuple[Config, ...]:
    """What is to be in force for a moment, in this order, between ``previous`` and ``config``; mostly nothing.

    First servers learn to take both (unless they do already), then clients turn (unless that is all there is to do).
    """
    before, after = previous.config.of(_KIND), config.of(_KIND)
    roots = (previous.mesh.root_namespace, config.mesh.root_namespace)
    if before is after and roots[0] == roots[1]:
        return ()
    old, new = _policies(before, roots[0]), _policies(after, roots[1])
    found = {
        turn
        for workload in previous.workloads.values()
        if workload.tls_mode == "istio"
        for turn in turns(
            old.modes(workload.namespace, workload.labels), new.modes(workload.namespace, workload.labels)
        )
    }
    servers = any(turn[0] is not MtlsMode.PERMISSIVE for turn in found)
    clients = any(turn[1] is not MtlsMode.PERMISSIVE for turn in found)
    revision = previous.config.revision  # the change has arrived when all of it has
    return tuple(
        replace(config, revision=revision, settling=Settling(before, roots[0], clients=turned))
        for turned, needed in ((False, servers), (True, clients))
        if needed
    )


def _policies(objects: Mapping[ObjectKey, Object], root_namespace: str) -> PeerPolicies:
    return peer_policies(sorted(objects.values(), key=lambda o: o.age_key), root_namespace)
