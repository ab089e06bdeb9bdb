"""Clusters of a client: one per service port and subset, and the built-in ones (rows DR-06, OL-20, OL-21, OL-23, OL-25)."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2

from mizzen.api.destination_rule import ClientTLSSettings, TrafficPolicy
from mizzen.api.meta import Object
from mizzen.model.protocol import Protocol
from mizzen.model.proxy import ProxyType
from mizzen.model.resources import CLUSTER, ENDPOINT, Resource
from mizzen.model.service import Endpoint, Port, Resolution, Service
from mizzen.model.view import DYNAMIC_DNS, MtlsMode
from mizzen.translate import (
    alpn,
    connection_pool,
    dynamic_dns,
    endpoints,
    header_case,
    load_balancer,
    names,
    outlier,
    proxy_protocol,
    split_horizon,
    upstream_tls,
)
from mizzen.translate.catalog import Catalog
from mizzen.translate.credentials import CONFIG_MAP, named_for
from mizzen.translate.locality import Client, Preference, label_keys, preference, weighs_localities
from mizzen.translate.memo import Memo
from mizzen.translate.messages import resource
from mizzen.translate.proxy_identity import proxy_identity
from mizzen.translate.scalars import duration, seconds
from mizzen.translate.subsets import identities, variants
from mizzen.translate.traffic_policy import NONE, with_defaults

_Cluster = cluster_pb2.Cluster
_TYPES = {
    Resolution.CLIENT_SIDE: _Cluster.EDS,
    Resolution.DNS: _Cluster.STRICT_DNS,
    Resolution.DNS_ROUND_ROBIN: _Cluster.LOGICAL_DNS,
    Resolution.PASSTHROUGH: _Cluster.ORIGINAL_DST,
}
_IDLE = 300.0


def outbound(catalog: Catalog, memo: Memo) -> Iterator[Resource]:
    """Every cluster of every visible service with its endpoints, then BlackHoleCluster and PassthroughCluster."""
    scope = catalog.scope
    auto = catalog.auto_passthrough()
    for service, port in catalog.service_ports():
        rule = catalog.rule_object(service)
        members = catalog.endpoints(service, port)
        mode = namespace_mtls(catalog, service)
        cluster_id = scope.snapshot.config.cluster_id
        key = (
            "clusters",
            scope.proxy_type,
            scope.locality,
            catalog.vantage,
            mode,
            cluster_id,
            service.namespace,
            service.hostname,
            port.number,
            auto,
            proxy_identity(scope.flags),
            header_case.kept(scope.conduct.config),
            _client_labels(catalog, service, rule),
            scope.lists_secrets,
        )
        # The identities of a service are those behind all of its ports (row OL-21).
        everywhere = tuple(catalog.endpoints(service, p) for p in service.ports)
        yield from memo.get(
            key,
            (service, rule, scope.mesh, *everywhere),
            lambda s=service, p=port, r=rule, m=members: list(_PortClusters(catalog, s, p, r, m).resources(auto)),  # type: ignore[misc]
        )
    yield resource(CLUSTER, names.BLACK_HOLE, black_hole())
    if scope.proxy_type is ProxyType.SIDECAR:
        yield resource(CLUSTER, names.PASSTHROUGH, passthrough(catalog))
        if scope.outbound_mode == DYNAMIC_DNS:
            yield resource(CLUSTER, names.ANY_NAME, dynamic_dns.any_name(scope.mesh))


def namespace_mtls(catalog: Catalog, service: Service) -> MtlsMode:
    """The server's mode at namespace or mesh level, the only ones that switch auto mTLS off as a whole (row OL-20)."""
    scope = catalog.scope
    found = MtlsMode.PERMISSIVE
    for namespace in (scope.mesh.root_namespace, service.namespace):
        policy = next(
            (o for o in scope.snapshot.peer_authentications if o.namespace == namespace and not _selective(o)), None
        )
        if policy is not None and policy.body.mtls is not None and policy.body.mtls.mode not in ("UNSET", ""):
            found = MtlsMode(policy.body.mtls.mode)
    return found


def _client_labels(catalog: Catalog, service: Service, rule: Object | None) -> tuple[tuple[str, str], ...]:
    """Those of the client's labels that the order of endpoints depends on (row DR-19)."""
    labels = catalog.scope.labels
    keys = label_keys(rule.body if rule else None, service, catalog.scope.mesh)
    return tuple(sorted((key, labels[key]) for key in keys if key in labels))


def _selective(policy: Object) -> bool:
    selector = policy.body.selector
    return selector is not None and bool(selector.match_labels)


def black_hole() -> cluster_pb2.Cluster:
    """Where blocked traffic goes: a cluster that never has an endpoint."""
    cluster = _Cluster(name=names.BLACK_HOLE, type=_Cluster.STATIC, lb_policy=_Cluster.ROUND_ROBIN)
    cluster.connect_timeout.CopyFrom(seconds(10))
    return cluster


def passthrough(catalog: Catalog) -> cluster_pb2.Cluster:
    """Where unknown traffic goes on to: the address that the app dialled (row OL-23)."""
    cluster = _Cluster(name=names.PASSTHROUGH, type=_Cluster.ORIGINAL_DST, lb_policy=_Cluster.CLUSTER_PROVIDED)
    cluster.connect_timeout.CopyFrom(duration(catalog.scope.mesh.connect_timeout))
    cluster.circuit_breakers.CopyFrom(connection_pool.breakers(with_defaults(NONE, catalog.scope.mesh)))
    connection_pool.follow_client(cluster, seconds(_IDLE))
    if header_case.kept(catalog.scope.conduct.config):
        header_case.keep_towards(cluster)
    return cluster


class _PortClusters:
    """The clusters of one service port."""

    def __init__(
        self, catalog: Catalog, service: Service, port: Port, rule: Object | None, members: tuple[Endpoint, ...]
    ) -> None:
        self._catalog = catalog
        self._scope = catalog.scope
        self._service = service
        self._port = port
        self._rule = rule
        self._members = members
        self._sidecar = self._scope.proxy_type is ProxyType.SIDECAR
        self._identity = proxy_identity(self._scope.flags)

    def resources(self, auto: bool) -> Iterator[Resource]:
        """``auto``: also the clusters that mesh TLS is passed on to by its SNI (row GW-15)."""
        mesh = self._scope.mesh
        if self._service.resolution is Resolution.DYNAMIC_DNS:
            yield self._dynamic()
            return
        for subset, policy, members in self._variants():
            yield from self._one(subset, with_defaults(policy, mesh), members)
        if auto and not self._service.mesh_external:
            for subset, policy, members in self._variants():
                yield from self._passed_on(subset, with_defaults(policy, mesh), members)

    def _variants(self) -> Iterator[tuple[str, TrafficPolicy, tuple[Endpoint, ...]]]:
        return variants(self._rule.body if self._rule else None, self._port, self._members)

    def _passed_on(self, subset: str, policy: TrafficPolicy, members: tuple[Endpoint, ...]) -> Iterator[Resource]:
        name = names.sni(self._port.number, subset, self._service.hostname)
        cluster = _Cluster(name=name, alt_stat_name=f"{name};", type=_Cluster.EDS)
        cluster.connect_timeout.CopyFrom(duration(self._scope.mesh.connect_timeout))
        cluster.circuit_breakers.CopyFrom(connection_pool.breakers(policy))
        self._balance(cluster, policy)
        self._metadata(cluster, subset)
        meshed = tuple(e for e in members if split_horizon.carries_mtls(e, policy, auto_mtls=True))
        yield from self._place(cluster, self._assignment(name, policy, meshed))

    def _dynamic(self) -> Resource:
        """One cluster for every name below the wildcard; there are no endpoints that a subset could choose (row SE-09)."""
        mesh = self._scope.mesh
        _, policy, _ = next(self._variants())
        policy = with_defaults(policy, mesh)
        name = names.cluster(self._port.number, "", self._service.hostname)
        cluster = _Cluster(name=name, alt_stat_name=f"{name};")
        connection_pool.apply(
            cluster, policy, mesh, self._port.protocol, sidecar=self._sidecar, tls=self._own_tls(policy)
        )
        self._keep_case(cluster)
        outlier.apply(cluster, policy.outlier_detection)
        self._metadata(cluster, "")
        self._secure(cluster, "", policy, ())
        dynamic_dns.apply(cluster, self._service.hostname, mesh)
        return resource(CLUSTER, name, cluster)

    def _one(self, subset: str, policy: TrafficPolicy, members: tuple[Endpoint, ...]) -> Iterator[Resource]:
        name = names.cluster(self._port.number, subset, self._service.hostname)
        kind = self._kind(policy)
        if kind in (_Cluster.STRICT_DNS, _Cluster.LOGICAL_DNS):
            members = self._dns_members(members, subset)
            if not members:
                return
        cluster = _Cluster(name=name, alt_stat_name=self._stat_name(name, subset), type=kind)
        connection_pool.apply(
            cluster, policy, self._scope.mesh, self._port.protocol, sidecar=self._sidecar, tls=self._own_tls(policy)
        )
        self._keep_case(cluster)
        self._balance(cluster, policy)
        self._metadata(cluster, subset)
        self._secure(cluster, subset, policy, members)
        if policy.proxy_protocol is not None:
            proxy_protocol.wrap(cluster, policy.proxy_protocol)
        yield from self._place(cluster, self._assignment(name, policy, members))

    def _balance(self, cluster: cluster_pb2.Cluster, policy: TrafficPolicy) -> None:
        """Who is left out, how one is chosen, and whether places count."""
        chosen = self._preference(policy)
        outlier.apply(cluster, policy.outlier_detection, keeps_unready=chosen.keeps_unready)
        load_balancer.apply(cluster, policy.load_balancer)
        if cluster.type == _Cluster.ORIGINAL_DST:
            return
        if weighs_localities(chosen, failover=policy.outlier_detection is not None):
            cluster.common_lb_config.locality_weighted_lb_config.SetInParent()
        elif chosen.zones is not None:
            load_balancer.prefer_zone(cluster, chosen.zones)

    def _preference(self, policy: TrafficPolicy) -> Preference:
        return preference(policy, self._service, self._scope.mesh)

    def _keep_case(self, cluster: cluster_pb2.Cluster) -> None:
        speaks_http = self._port.protocol.is_http or self._port.protocol is Protocol.UNSUPPORTED
        if speaks_http and header_case.kept(self._scope.conduct.config):
            header_case.keep_towards(cluster)

    def _stat_name(self, name: str, subset: str) -> str:
        pattern = self._scope.mesh.outbound_cluster_stat_name
        return names.stat_name(pattern or name, self._service, self._port, subset)

    def _place(
        self, cluster: cluster_pb2.Cluster, assignment: endpoint_pb2.ClusterLoadAssignment
    ) -> Iterator[Resource]:
        """Say where the endpoints come from: over EDS, by DNS, or the original address."""
        if cluster.type == _Cluster.EDS:
            source = cluster.eds_cluster_config
            source.service_name = cluster.name
            source.eds_config.ads.SetInParent()
            source.eds_config.initial_fetch_timeout.SetInParent()
            source.eds_config.resource_api_version = 2
            yield resource(CLUSTER, cluster.name, cluster)
            yield resource(ENDPOINT, cluster.name, assignment)
            return
        if cluster.type == _Cluster.ORIGINAL_DST:
            override = self._port.target if not self._service.from_kubernetes else 0
            if override:
                cluster.original_dst_lb_config.upstream_port_override.value = override
        else:
            cluster.load_assignment.CopyFrom(assignment)
            cluster.dns_lookup_family = _Cluster.ALL if self._service.connect_race else _Cluster.V4_ONLY
            cluster.dns_refresh_rate.CopyFrom(duration(self._scope.mesh.dns_refresh_rate))
            cluster.respect_dns_ttl = True
        yield resource(CLUSTER, cluster.name, cluster)

    def _kind(self, policy: TrafficPolicy) -> cluster_pb2.Cluster.DiscoveryType:
        """A router has no original address to go on to: it takes endpoints instead (row SE-05)."""
        kind = _TYPES.get(self._service.resolution, _Cluster.EDS)
        if kind == _Cluster.STRICT_DNS and self._service.connect_race:
            kind = _Cluster.LOGICAL_DNS
        if load_balancer.is_passthrough(policy.load_balancer):
            kind = _Cluster.ORIGINAL_DST
        return _Cluster.EDS if kind == _Cluster.ORIGINAL_DST and self._scope.proxy_type is ProxyType.ROUTER else kind

    def _dns_members(self, members: tuple[Endpoint, ...], subset: str) -> tuple[Endpoint, ...]:
        """A ServiceEntry without endpoints stands for its own host (row SE-07)."""
        if members or subset or self._service.hostname.startswith("*") or self._service.selector:
            return members
        target = self._port.target or self._port.number
        return (Endpoint(address=self._service.hostname, port=target, service_port=self._port.number),)

    def _assignment(
        self, name: str, policy: TrafficPolicy, members: tuple[Endpoint, ...]
    ) -> endpoint_pb2.ClusterLoadAssignment:
        scope, vantage = self._scope, self._catalog.vantage
        return endpoints.load_assignment(
            name,
            split_horizon.reachable(vantage, members, policy, auto_mtls=self._auto_mtls()),
            policy=policy,
            client=Client(scope.locality, scope.labels),
            cluster_id=scope.snapshot.config.cluster_id,
            chosen=self._preference(policy),
        )

    def _metadata(self, cluster: cluster_pb2.Cluster, subset: str) -> None:
        """What metrics, Kiali and people read of a cluster (row XD-23)."""
        facts = cluster.metadata.filter_metadata["istio"]
        service = self._service
        facts["default_original_port"] = self._port.number
        if subset:
            facts["subset"] = subset
        named = {"host": service.hostname, "name": service.name, "namespace": service.namespace}
        facts.get_or_create_list("services").append(named)
        if self._rule is not None:
            facts["config"] = (
                f"/apis/networking.istio.io/v1/namespaces/{self._rule.namespace}/destination-rule/{self._rule.name}"
            )
        if service.mesh_external:
            facts["external"] = True

    def _secure(
        self, cluster: cluster_pb2.Cluster, subset: str, policy: TrafficPolicy, members: tuple[Endpoint, ...]
    ) -> None:
        service, port = self._service, self._port
        sni = names.sni(port.number, subset, service.hostname)
        speech = connection_pool.spoken(policy, self._scope.mesh, port.protocol, sidecar=self._sidecar)
        offered = upstream_tls.mesh_alpn(speech, declared=port.protocol is not Protocol.UNSUPPORTED)
        tls = self._own_tls(policy)
        facts = cluster.metadata.filter_metadata["istio"]
        if policy.tls is not None:
            if tls is None:
                return
            socket = upstream_tls.socket_of(
                tls,
                sni=sni,
                sans=self._sans(),
                entry_sans=service.subject_alt_names,
                offered=offered,
                http2=speech == "h2",
                defaults=self._scope.mesh.tls_defaults,
                identity=None if service.mesh_external else self._identity,
            )
            if socket is not None:
                cluster.transport_socket.CopyFrom(socket)
            if tls.mode in ("SIMPLE", "MUTUAL"):
                facts["alpn_override"] = "false"
        elif self._auto_mtls():
            matches = upstream_tls.auto_mtls_matches(sni, self._sans(), offered, self._identity)
            if cluster.type != _Cluster.ORIGINAL_DST:
                cluster.transport_socket_matches.extend(matches)
                self._tell_plaintext(cluster, members)
            elif members and all(e.tls_mode == "istio" for e in members):
                # Envoy sees no endpoint metadata here, so it is all or nothing (row OL-20).
                cluster.transport_socket.CopyFrom(matches[0].transport_socket)
        if speech and offered == alpn.TCP and (tls is None or tls.mode == "ISTIO_MUTUAL"):
            facts["alpn"] = speech

    @staticmethod
    def _tell_plaintext(cluster: cluster_pb2.Cluster, members: tuple[Endpoint, ...]) -> None:
        """Where servers with a sidecar take no mTLS, the cluster says so: it is another one once they do (row PA-10).

        Envoy turns an endpoint in place and goes on with its open connections. One that has not carried a request yet is
        known to no filter chain of the server, and would fail its first request under STRICT.
        """
        meshed = [e.tls_mode == "istio" for e in members if e.workload is not None and e.workload.tls_mode == "istio"]
        if not all(meshed):
            cluster.metadata.filter_metadata["istio"]["plaintext"] = "some" if any(meshed) else "all"

    def _auto_mtls(self) -> bool:
        if self._service.mesh_external or not self._scope.mesh.enable_auto_mtls:
            return False
        return namespace_mtls(self._catalog, self._service) is not MtlsMode.DISABLE

    def _written_tls(self, policy: TrafficPolicy) -> ClientTLSSettings | None:
        """The rule's TLS block; a sidecar drops one with a credential unless the rule selects workloads (row DR-48)."""
        tls = policy.tls
        if tls is None or not tls.credential_name or self._scope.proxy_type is ProxyType.ROUTER:
            return tls
        if tls.credential_name.startswith(f"{CONFIG_MAP}://"):
            return tls
        selects = self._rule is not None and self._rule.body.workload_selector is not None
        return tls if selects else None

    def _own_tls(self, policy: TrafficPolicy) -> ClientTLSSettings | None:
        tls = self._written_tls(policy)
        return named_for(tls, lists_secrets=self._scope.lists_secrets) if tls is not None else None

    def _sans(self) -> list[str]:
        return identities(self._catalog, self._service)
