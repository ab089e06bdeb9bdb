"""Config to Snapshot, in named steps. A step runs again only when one of its inputs is another object than last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from mizzen.api.meta import Object
from mizzen.model.config import Config, ObjectKey
from mizzen.model.features import GatewayApi
from mizzen.model.service import Service
from mizzen.model.snapshot import Snapshot
from mizzen.resolve.access import secret_access
from mizzen.resolve.authorizer_overlap import overlap_findings
from mizzen.resolve.authorizers import authorizer_findings, authorizers, usable
from mizzen.resolve.claims import claim_findings
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
from mizzen.resolve.token_keys import key_findings
from mizzen.resolve.virtual_services import virtual_services
from mizzen.resolve.workloads import workloads

_T = TypeVar("_T")


def build(config: Config, previous: Snapshot | None = None) -> Snapshot:
    """The mesh that ``config`` describes. ``previous`` only saves work: the result equals that without it.

    Never raises for what users write; what could not be resolved is in ``findings``.
    """
    run = _Run(previous)
    config = _discovered(run, config)
    mesh, domain = config.mesh, config.domain
    pods, slices, nodes = config.of("Pod"), config.of("EndpointSlice"), config.of("Node")
    entries, workload_entries = config.of("ServiceEntry"), config.of("WorkloadEntry")

    spaces = config.of("Namespace")
    labelled = spaces if mesh.service_entry_visibility else run.step("distributing", distributing, spaces)
    found = run.step("services", services, config.of("Service"), entries, labelled, mesh, domain)
    hosts = run.step("by_hostname", by_hostname, found)
    running = run.step("workloads", workloads, pods, workload_entries, nodes, mesh)
    peer_authentications = run.step("peer_authentications", _oldest_first, config.of("PeerAuthentication"))
    believed, peers = _peers(run, config, peer_authentications)
    places = run.step("placement", placement, config.networks, spaces, mesh.root_namespace, config.cluster_id)
    members = run.step("endpoints", endpoints, found, slices, entries, workload_entries, running, peers, places, mesh)
    written_services = config.of("Service")
    entered = run.step(
        "networks",
        networks,
        config.networks,
        written_services,
        nodes,
        config.addresses,
        config.cluster_id,
        domain,
    )
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
    claims = run.step("claim_findings", claim_findings, routes, gateways, authentications, running, mesh.root_namespace)
    authorizations = run.step("authorization_policies", _oldest_first, config.of("AuthorizationPolicy"))
    asked = run.step("authorizers", authorizers, mesh, hosts)
    wasm = config.of("WasmPlugin")
    plugins = run.step("extensions", extensions, wasm, config.of("TrafficExtension"), mesh.root_namespace)
    sinks = run.step("providers", providers, mesh, hosts, config.environment)
    security = (
        *run.step("peer_findings", peer_findings, peer_authentications, mesh.root_namespace),
        *run.step("authorizer_findings", authorizer_findings, authorizations, asked),
        *run.step("provider_findings", provider_findings, mesh, sinks, config.of("ConfigMap")),
        *run.step("overlap_findings", overlap_findings, authorizations, running, mesh.root_namespace, config.features),
        *run.step("key_findings", key_findings, authentications, config.jwks),
        *run.step("extension_findings", extension_findings, plugins, config.of("Secret")),
    )
    return Snapshot(
        config=config,
        mesh=mesh,
        services=found,
        by_hostname=hosts,
        workloads=running,
        endpoints=members,
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
        networks=entered,
        secret_access=run.step(
            "secret_access",
            secret_access,
            config.features.authorization,
            config.secret_access,
            *map(config.of, ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")),
        ),
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
            *run.step("network_findings", network_findings, written_services, nodes, config.addresses),
            *security,
        ),
        steps=run.done,
    )


def _gateway_api(run: _Run, config: Config, hosts: Mapping[str, tuple[Service, ...]]) -> Generated:
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


def _peers(run: _Run, config: Config, objects: tuple[Object, ...]) -> tuple[tuple[Object, ...], PeerPolicies]:
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


def _discovered(run: _Run, config: Config) -> Config:
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


class _Run:
    """One build: what each step was given and what it gave."""

    def __init__(self, previous: Snapshot | None) -> None:
        self.done: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self._previous = previous.steps if previous is not None else {}

    def step(self, name: str, function: Callable[..., _T], *inputs: Any) -> _T:
        before = self._previous.get(name)
        if before is not None and _same(before[0], inputs):
            result = before[1]
        else:
            result = function(*inputs)
            if before is not None:
                result = _keep(before[1], result)
        self.done[name] = (inputs, result)
        return result  # type: ignore[no-any-return]


def _same(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    return len(old) == len(new) and all(
        a is b or (isinstance(b, str) and a == b) for a, b in zip(old, new, strict=True)
    )


def _keep(old: Any, new: Any) -> Any:
    """``new``, but with the old object wherever it is equal, so that a change stops spreading (translation compares by identity)."""
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        kept = {key: old[key] if key in old and old[key] == value else value for key, value in new.items()}
        return old if len(old) == len(kept) and all(old.get(k) is v for k, v in kept.items()) else kept
    if old == new:
        return old
    if isinstance(new, tuple) and isinstance(old, tuple) and len(new) == len(old) and all(map(_holds, new)):
        return tuple(
            _keep(before, after) for before, after in zip(old, new, strict=True)
        )  # several results of one step
    if isinstance(new, tuple) and isinstance(old, tuple):
        known = {_identity(item): item for item in old}
        return tuple(known[_identity(item)] if known.get(_identity(item)) == item else item for item in new)
    return new


def _holds(item: Any) -> bool:
    return isinstance(item, tuple | Mapping)


def _identity(item: Any) -> Any:
    for names in (("kind", "namespace", "name"), ("namespace", "hostname")):
        if all(hasattr(item, name) for name in names):
            return tuple(getattr(item, name) for name in names)
    return id(item)
