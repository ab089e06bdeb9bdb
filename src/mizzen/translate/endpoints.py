"""Endpoints of a cluster: health, weights, localities, priorities and metadata (rows OL-18, OL-19, DR-17 to DR-20)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from envoy.config.core.v3 import address_pb2, base_pb2, health_check_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2

from mizzen.api.destination_rule import TrafficPolicy
from mizzen.model.service import Endpoint, Locality, Workload
from mizzen.translate.locality import Client, Preference, Priorities, weights
from mizzen.translate.split_horizon import LARGEST, once

_Localities = endpoint_components_pb2.LocalityLbEndpoints


def load_assignment(
    name: str,
    endpoints: Iterable[Endpoint],
    *,
    policy: TrafficPolicy,
    client: Client,
    cluster_id: str,
    chosen: Preference,
) -> endpoint_pb2.ClusterLoadAssignment:
    """``endpoints`` as one assignment. Without locality failover they are all of priority 0 (row DR-20)."""
    outlier = policy.outlier_detection
    if outlier is not None and outlier.min_health_percent > 0 and not chosen.keeps_unready:
        endpoints = [e for e in endpoints if e.healthy]
    endpoints = _weighed(tuple(endpoints))
    groups: dict[tuple[Locality, int], list[Endpoint]] = {}
    order = Priorities(chosen, client, cluster_id=cluster_id, failover=outlier is not None).of(endpoints)
    ranked = once(endpoints, order)
    for endpoint, priority in ranked:
        groups.setdefault((endpoint.locality, priority), []).append(endpoint)
    sizes: dict[Locality, int] = {}
    for endpoint, _ in ranked:
        sizes[endpoint.locality] = sizes.get(endpoint.locality, 0) + (endpoint.weight or 1)
    shares = weights(chosen, client.locality, sizes)
    message = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
    for locality, priority in sorted(groups):
        if locality in shares:
            members = groups[(locality, priority)]
            share = shares[locality]
            if share == sizes[locality]:
                share = sum(e.weight or 1 for e in members)
            message.endpoints.append(_group(locality, members, priority, share, cluster_id))
    return message


def _weighed(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """The same, with weights made smaller in proportion where their sum is more than Envoy counts to."""
    total = sum(e.weight or 1 for e in endpoints)
    if total <= LARGEST:
        return endpoints
    room = LARGEST - len(endpoints)
    return tuple(msgspec.structs.replace(e, weight=1 + e.weight * room // total) for e in endpoints)


def _group(
    locality: Locality, endpoints: list[Endpoint], priority: int, weight: int, cluster_id: str
) -> endpoint_components_pb2.LocalityLbEndpoints:
    group = _Localities(priority=priority, lb_endpoints=[_endpoint(e, cluster_id) for e in endpoints])
    if locality != Locality():
        group.locality.CopyFrom(
            base_pb2.Locality(region=locality.region, zone=locality.zone, sub_zone=locality.subzone)
        )
    group.load_balancing_weight.value = weight
    return group


def _endpoint(endpoint: Endpoint, cluster_id: str) -> endpoint_components_pb2.LbEndpoint:
    message = endpoint_components_pb2.LbEndpoint()
    message.endpoint.address.CopyFrom(_address(endpoint))
    message.health_status = health_check_pb2.HEALTHY if endpoint.healthy else health_check_pb2.UNHEALTHY
    message.load_balancing_weight.value = endpoint.weight or 1
    if endpoint.tls_mode != "disabled":
        message.metadata.filter_metadata["envoy.transport_socket_match"].update({"tlsMode": endpoint.tls_mode})
    if endpoint.workload is not None:
        message.metadata.filter_metadata["istio"].update(_identity(endpoint.workload, endpoint.cluster or cluster_id))
    return message


def _address(endpoint: Endpoint) -> address_pb2.Address:
    if endpoint.address.startswith("unix://"):
        return address_pb2.Address(pipe=address_pb2.Pipe(path=endpoint.address.removeprefix("unix://")))
    return address_pb2.Address(
        socket_address=address_pb2.SocketAddress(address=endpoint.address, port_value=endpoint.port)
    )


def _identity(workload: Workload, cluster_id: str) -> dict[str, str]:
    """What the client's metrics say of their server (row OL-19)."""
    revision = "" if workload.canonical_revision == "latest" else workload.canonical_revision
    return {
        "workload": f"{workload.workload_name};{workload.namespace};{workload.canonical_name};{revision};{cluster_id}",
        "workload_name": workload.workload_name,
        "workload_namespace": workload.namespace,
        "canonical_name": workload.canonical_name,
        "canonical_revision": workload.canonical_revision,
        "cluster": cluster_id,
        # Row ME-12: of a peer, Kubernetes' own labels go first.
        "app": workload.labels.get("app.kubernetes.io/name") or workload.labels.get("app", ""),
        "version": workload.labels.get("app.kubernetes.io/version") or workload.labels.get("version", ""),
    }
