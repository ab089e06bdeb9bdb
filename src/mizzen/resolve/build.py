"""Config to Snapshot, in named steps. A step runs again only when one of its inputs is another object than last time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mizzen.api.meta import Object
from mizzen.model.config import Config, ObjectKey
from mizzen.model.features import GatewayApi
from mizzen.model.networks import Networks
from mizzen.model.service import Service
from mizzen.model.snapshot import Snapshot
from mizzen.resolve.access import secret_access
from mizzen.resolve.authorizer_overlap import overlap_findings
from mizzen.resolve.authorizers import authorizer_findings, authorizers, usable
from mizzen.resolve.claims import claim_findings
from mizzen.resolve.clusters import Mesh, Registry, registry, united
from mizzen.resolve.conduct import provider_findings
from mizzen.resolve.destination_rules import destination_rules, duplicate_subsets
from mizzen.resolve.discovery import namespaces, selected
from mizzen.resolve.endpoints import endpoints
from mizzen.resolve.extensions import extension_findings, extensions
from mizzen.resolve.gateway_api.classes import KIND as GATEWAYS
from mizzen.resolve.gateway_api.convert import KINDS, REFERRED, Generated
from mizzen.resolve.gateway_api.convert import generated as of_gateway_api
from mizzen.resolve.gateway_api.targets import KINDS as TARGETING
from mizzen.resolve.gateway_api.targets import target_findings
from mizzen.resolve.kubernetes_ingress import generated
from mizzen.resolve.mtls import PeerPolicies, peer_findings, peer_policies, settling
from mizzen.resolve.networks import network_findings, networks, placement
from mizzen.resolve.providers import providers
from mizzen.resolve.references import reference_findings
from mizzen.resolve.services import by_hostname, distributing, services
from mizzen.resolve.shared_certificates import shared_certificates
from mizzen.resolve.sidecar_conflicts import sidecar_findings
from mizzen.resolve.steps import Run
from mizzen.resolve.telemetry import telemetries, telemetry_findings
from mizzen.resolve.token_keys import key_findings
from mizzen.resolve.virtual_services import virtual_services
from mizzen.resolve.workloads import workloads


def build(config: Config, previous: Snapshot | None = None) -> Snapshot:
    """The mesh that ``config`` describes. ``previous`` only saves work: the result equals that without it.

    Never raises for what users write; what could not be resolved is in ``findings``.
    """
    run = Run(previous)
    config = _discovered(run, config)
    mesh, domain = config.mesh, config.domain
    pods, slices, nodes = config.of("Pod"), config.of("EndpointSlice"), config.of("Node")
    entries, workload_entries = config.of("ServiceEntry"), config.of("WorkloadEntry")

    spaces = config.of("Namespace")
    labelled = spaces if mesh.service_entry_visibility else run.step("distributing", distributing, spaces)
    here = run.step("services", services, config.of("Service"), entries, labelled, mesh, domain)
    pods_here = run.step("workloads", workloads, pods, workload_entries, nodes, mesh)
    peer_authentications = run.step("peer_authentications", _oldest_first, config.of("PeerAuthentication"))
    believed, peers = _peers(run, config, peer_authentications)
    places = run.step("placement", placement, config.networks, spaces, mesh.root_namespace, config.cluster_id)
    members = run.step("endpoints", endpoints, here, slices, entries, workload_entries, pods_here, peers, places, mesh)
    everywhere = _everywhere(run, config, Registry(here, pods_here, members, _entered(run, config)), peers)
    found, running = everywhere.services, everywhere.workloads
    hosts = run.step("by_hostname", by_hostname, found)
    ingresses, classes = config.of("Ingress"), config.of("IngressClass")
    ingress = run.step("ingress", generated, ingresses, classes, config.of("Service"), mesh, domain)
    gateway_api = _gateway_api(run, config, hosts)
    made = run.step("made virtual services", _together, ingress.virtual_services, gateway_api.virtual_services)
    written = run.step("all virtual services", _together, config.of("VirtualService"), made)
    routes, route_findings = run.step("virtual_services", virtual_services, written, mesh, domain)
    all_rules = run.step("all rules", _together, config.of("DestinationRule"), gateway_api.destination_rules)
    rules = run.step("destination_rules", destination_rules, all_rules, mesh, domain)
    doubles = run.step("duplicate_subsets", duplicate_subsets, config.of("DestinationRule"), mesh, domain)
    made_gateways = run.step("made gateways", _together, ingress.gateways, gateway_api.gateways)
    all_gateways = run.step("all gateways", _together, config.of("Gateway"), made_gateways)
    gateways = run.step("gateways", _oldest_first, all_gateways)
    sidecars = run.step("sidecars", _oldest_first, config.of("Sidecar"))
    rivals = run.step("sidecar_findings", sidecar_findings, sidecars)
    shared = run.step("shared_certificates", shared_certificates, gateways)
    references = run.step("references", reference_findings, routes, rules, gateways, hosts)
    authentications = run.step("request_authentications", _oldest_first, config.of("RequestAuthentication"))
    where = (mesh.root_namespace, config.features)
    claims = run.step("claim_findings", claim_findings, routes, gateways, authentications, running, *where)
    authorizations = run.step("authorization_policies", _oldest_first, config.of("AuthorizationPolicy"))
    asked = run.step("authorizers", authorizers, mesh, hosts)
    wasm = config.of("WasmPlugin")
    plugins = run.step("extensions", extensions, wasm, config.of("TrafficExtension"), mesh.root_namespace)
    sinks = run.step("providers", providers, mesh, hosts, config.environment)
    reported = run.step("telemetries", telemetries, config.of("Telemetry"))
    security = (
        *run.step("peer_findings", peer_findings, peer_authentications, mesh.root_namespace),
        *run.step("authorizer_findings", authorizer_findings, authorizations, asked),
        *run.step("provider_findings", provider_findings, mesh, sinks, config.of("ConfigMap")),
        *run.step("telemetry_findings", telemetry_findings, reported, mesh, sinks),
        *run.step("overlap_findings", overlap_findings, authorizations, running, *where),
        *run.step("key_findings", key_findings, authentications, config.jwks),
        *run.step("extension_findings", extension_findings, plugins, config.of("Secret")),
    )
    return Snapshot(
        config=config,
        mesh=mesh,
        services=found,
        by_hostname=hosts,
        workloads=running,
        endpoints=everywhere.endpoints,
        virtual_services=routes,
        destination_rules=rules,
        gateways=gateways,
        sidecars=sidecars,
        peer_authentications=believed,
        request_authentications=authentications,
        authorization_policies=authorizations,
        extensions=plugins,
        authorizers=run.step("usable_authorizers", usable, asked),
        providers=sinks,
        secret_access=run.step(
            "secret_access",
            secret_access,
            config.features.authorization,
            config.secret_access,
            *map(config.of, ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")),
        ),
        networks=everywhere.networks,
        telemetries=reported,
        envoy_filters=run.step("envoy_filters", _oldest_first, config.of("EnvoyFilter")),
        findings=(
            *config.findings,
            *ingress.findings,
            *gateway_api.findings,
            *run.step("target_findings", target_findings, config.of(GATEWAYS), *map(config.of, TARGETING)),
            *route_findings,
            *doubles,
            *rivals,
            *shared,
            *references,
            *claims,
            *run.step("network_findings", network_findings, config.of("Service"), nodes, config.addresses),
            *security,
        ),
        steps=run.done,
    )


def _entered(run: Run, config: Config) -> Networks:
    """The gateways of networks that this cluster and the mesh's settings tell of."""
    own, nodes = config.of("Service"), config.of("Node")
    gateways = config.of("Gateway.gateway.networking.k8s.io" if config.features.network_gateway_api else "")
    names, cluster = config.addresses, config.cluster_id
    return run.step("networks", networks, config.networks, own, nodes, gateways, names, cluster, config.domain)


def _everywhere(run: Run, config: Config, here: Registry, peers: PeerPolicies) -> Registry:
    """What runs in this cluster and in the others."""
    mesh = Mesh(config.mesh, config.networks, config.addresses, peers, config.domain)
    return united(run, here, {name: registry(run, name, remote, mesh) for name, remote in config.remotes.items()})


def _gateway_api(run: Run, config: Config, hosts: Mapping[str, tuple[Service, ...]]) -> Generated:
    """What the objects of the Gateway API become; the same as before while nothing that it looks at has changed."""
    kinds = (*KINDS, *REFERRED)

    def convert(
        domain: str,
        options: GatewayApi,
        hosts: Mapping[str, tuple[Service, ...]],
        *objects: Mapping[ObjectKey, Object],
    ) -> Generated:
        return of_gateway_api(dict(zip(kinds, objects, strict=True)), hosts, domain, options)

    options = config.features.gateway_api
    return run.step("gateway_api", convert, config.domain, options, hosts, *(config.of(kind) for kind in kinds))


def _peers(run: Run, config: Config, objects: tuple[Object, ...]) -> tuple[tuple[Object, ...], PeerPolicies]:
    """The PeerAuthentications that clients go by, also sorted for look-up; a step has what servers go by (row PA-10)."""
    after = run.step("peers", peer_policies, objects, config.mesh.root_namespace)
    state = config.settling
    if state is None:
        run.step("servers' peers", lambda found: found, after)
        return objects, after
    old = run.step("peer_authentications before", _oldest_first, state.before)
    before = run.step("peers before", peer_policies, old, state.root_namespace)
    run.step("servers' peers", settling, before, after)
    return (objects, after) if state.clients else (old, before)


def _discovered(run: Run, config: Config) -> Config:
    """``config`` without the namespaces that ``discoverySelectors`` leave out; itself where there are no selectors."""
    chosen = run.step("namespaces", namespaces, config.mesh, config.of("Namespace"))
    if chosen is None:
        return config
    kept = {kind: run.step(f"selected {kind}", selected, objects, chosen) for kind, objects in config.objects.items()}
    return replace(config, objects=kept)


def _together(written: Mapping[ObjectKey, Object], made: Mapping[ObjectKey, Object]) -> Mapping[ObjectKey, Object]:
    """The user's objects and those that Ingresses stand for; the very same mapping where there are none."""
    return {**made, **written} if made else written


def _oldest_first(objects: Mapping[ObjectKey, Object]) -> tuple[Object, ...]:
    return tuple(sorted(objects.values(), key=lambda o: o.age_key))
