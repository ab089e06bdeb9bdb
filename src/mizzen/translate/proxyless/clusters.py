"""Clusters and endpoints for gRPC: EDS, round robin or a ring, and mesh TLS only where a DestinationRule asks for it.

gRPC does not choose TLS by endpoint and refuses balancers that it does not know, so auto mTLS and the other balancers of a
DestinationRule have no effect; the certificates are those of the application's own bootstrap (instance ``default``).
"""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.type.matcher.v3 import string_pb2

from mizzen.api.destination_rule import LoadBalancerSettings, TrafficPolicy
from mizzen.model.resources import CLUSTER, ENDPOINT, Resource
from mizzen.model.service import Endpoint, Port, Resolution, Service
from mizzen.translate import connection_pool, endpoints, load_balancer, names, split_horizon
from mizzen.translate.catalog import Catalog
from mizzen.translate.locality import Client, preference
from mizzen.translate.messages import any_of, resource
from mizzen.translate.proxyless.tls import common_context
from mizzen.translate.subsets import identities, variants
from mizzen.translate.traffic_policy import with_defaults

_Cluster = cluster_pb2.Cluster
_KNOWN_ADDRESSES = (Resolution.CLIENT_SIDE, Resolution.PASSTHROUGH)


def resources(catalog: Catalog) -> Iterator[Resource]:
    """A cluster and its endpoints per service port and subset whose addresses are known to the control plane."""
    for service, port in catalog.service_ports():
        if service.resolution in _KNOWN_ADDRESSES:
            members = catalog.endpoints(service, port)
            for subset, policy, chosen in variants(catalog.rule(service), port, members):
                yield from _one(catalog, service, port, subset, with_defaults(policy, catalog.scope.mesh), chosen)


def nowhere(name: str) -> Iterator[Resource]:
    """A cluster without endpoints, for a destination that does not exist.

    gRPC uses no route of a table before it knows of every cluster in it, and would wait 15 s for this one.
    """
    yield resource(CLUSTER, name, _eds(name))
    yield resource(ENDPOINT, name, endpoint_pb2.ClusterLoadAssignment(cluster_name=name))


def _eds(name: str) -> cluster_pb2.Cluster:
    cluster = _Cluster(name=name, type=_Cluster.EDS, lb_policy=_Cluster.ROUND_ROBIN)
    cluster.eds_cluster_config.service_name = name
    cluster.eds_cluster_config.eds_config.ads.SetInParent()
    return cluster


def _one(
    catalog: Catalog, service: Service, port: Port, subset: str, policy: TrafficPolicy, members: tuple[Endpoint, ...]
) -> Iterator[Resource]:
    scope = catalog.scope
    name = names.cluster(port.number, subset, service.hostname)
    cluster = _eds(name)
    cluster.circuit_breakers.CopyFrom(connection_pool.breakers(policy))
    _balance(cluster, policy.load_balancer)
    if policy.tls is not None and policy.tls.mode == "ISTIO_MUTUAL":
        sans = policy.tls.subject_alt_names or identities(catalog, service)
        cluster.transport_socket.CopyFrom(
            _mesh_tls(policy.tls.sni or names.sni(port.number, subset, service.hostname), sans)
        )
    assignment = endpoints.load_assignment(
        name,
        split_horizon.reachable(catalog.vantage, members, policy, auto_mtls=False),
        policy=policy,
        client=Client(scope.locality, scope.labels),
        cluster_id=scope.snapshot.config.cluster_id,
        chosen=preference(policy, service, scope.mesh),
    )
    for group in assignment.endpoints:
        group.locality.SetInParent()  # gRPC refuses a group without one
    yield resource(CLUSTER, name, cluster)
    yield resource(ENDPOINT, name, assignment)


def _balance(cluster: cluster_pb2.Cluster, settings: LoadBalancerSettings | None) -> None:
    if settings is not None and settings.consistent_hash is not None and settings.consistent_hash.maglev is None:
        load_balancer.apply(cluster, settings)


def _mesh_tls(sni: str, sans: list[str] | tuple[str, ...]) -> base_pb2.TransportSocket:
    context = tls_pb2.UpstreamTlsContext(sni=sni)
    common_context(context.common_tls_context)
    validation = context.common_tls_context.combined_validation_context.default_validation_context
    validation.match_subject_alt_names.extend(string_pb2.StringMatcher(exact=san) for san in sans)
    return base_pb2.TransportSocket(name="envoy.transport_sockets.tls", typed_config=any_of(context))
