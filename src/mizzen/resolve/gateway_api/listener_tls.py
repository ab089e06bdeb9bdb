"""TLS of a listener: its certificates, what it asks of clients, and what is wrong with either (rows GA-08, GA-09)."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from mizzen.api.ciphers import usable
from mizzen.api.gateway import ServerTLSSettings
from mizzen.api.gateway_api import FrontendValidation, Gateway, ListenerTLS, ObjectReference, SecretReference
from mizzen.api.meta import Object
from mizzen.model import key_pair
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.world import World
from mizzen.resolve.network_listeners import passes_on

TERMINATE_MODE = "gateway.istio.io/tls-terminate-mode"
CIPHERS = "gateway.istio.io/tls-cipher-suites"
_MODES = {
    "ISTIO_SIMPLE": ServerTLSSettings(mode="SIMPLE", credential_name="builtin://"),
    "ISTIO_MUTUAL": ServerTLSSettings(mode="ISTIO_MUTUAL"),
}
"""Modes in which the proxy's own certificate serves."""
_MOST_CERTIFICATES = 2


@dataclass(frozen=True)
class ListenerSecurity:
    """``settings`` is None when there is nothing to serve. ``resolved`` and ``accepted`` say why a condition is False."""

    settings: ServerTLSSettings | None
    resolved: Problem | None = None
    accepted: Problem | None = None
    insecure: bool = False
    """Whether clients with a bad certificate are let in."""


def security(owner: Object, gateway: Object, tls: ListenerTLS, port: int, world: World) -> ListenerSecurity:
    """The settings of one listener of ``owner`` (the Gateway itself, or a ListenerSet that has joined it)."""
    ciphers = usable(tuple(c.strip() for c in tls.options.get(CIPHERS, "").split(",") if c.strip()))
    if tls.mode == "Passthrough":
        auto = passes_on(gateway, tls, port)
        return ListenerSecurity(ServerTLSSettings(mode="AUTO_PASSTHROUGH" if auto else "PASSTHROUGH"))
    wanted = tls.options.get(TERMINATE_MODE, "")
    if wanted in _MODES:
        return ListenerSecurity(replace(_MODES[wanted], cipher_suites=tuple(ciphers)))
    names, problem = _certificates(owner, tls, world)
    if not names:
        return ListenerSecurity(None, problem)
    mode = wanted if wanted in ("MUTUAL", "OPTIONAL_MUTUAL") else "SIMPLE"
    settings = ServerTLSSettings(
        mode=mode,
        credential_name=names[0] if len(names) == 1 else "",
        credential_names=tuple(names) if len(names) > 1 else (),
        cipher_suites=tuple(ciphers),
    )
    return _with_clients(ListenerSecurity(settings, problem), gateway, port, world)


def _certificates(owner: Object, tls: ListenerTLS, world: World) -> tuple[list[str], Problem | None]:
    """The credentials that can be served, and what is wrong with the others. One good one of two is enough."""
    refs = tls.certificate_refs
    if not 0 < len(refs) <= _MOST_CERTIFICATES:
        return [], Problem("InvalidCertificateRef", f"one or two certificateRefs are needed, not {len(refs)}")
    names, problem = [], None
    for ref in refs:
        found = certificate_problem(owner, ref, world)
        if found is None:
            names.append(f"kubernetes-gateway://{ref.namespace or owner.namespace}/{ref.name}")
        problem = problem or found
    return names, None if names else problem


def certificate_problem(owner: Object, ref: SecretReference, world: World) -> Problem | None:
    """Why ``owner`` cannot serve the certificate ``ref``. Permission is looked at before existence (row GA-08)."""
    namespace = ref.namespace or owner.namespace
    if ref.kind != "Secret" or ref.group:
        return Problem("InvalidCertificateRef", f"a certificate is a Secret, not {ref.group or 'core'} {ref.kind}")
    kind = owner.kind.partition(".")[0]
    if not world.grants.permits(kind, owner.namespace, ("", "Secret"), namespace, ref.name):
        return Problem("RefNotPermitted", f"no ReferenceGrant of namespace {namespace} lets it name Secret {ref.name}")
    secret = world.of("Secret").get((namespace, ref.name))
    if secret is None:
        return Problem("InvalidCertificateRef", f"there is no Secret {namespace}/{ref.name}")
    held: dict[str, bytes] = secret.body.held
    chain, key = held.get("tls.crt"), held.get("tls.key")
    fault = key_pair.pair_fault(chain, key) if chain and key else "it has no tls.crt and tls.key"
    return Problem("InvalidCertificateRef", f"Secret {namespace}/{ref.name}: {fault}") if fault else None


def _with_clients(made: ListenerSecurity, gateway: Object, port: int, world: World) -> ListenerSecurity:
    """Clients are asked for a certificate where the Gateway's ``tls.frontend`` says so, by port or by default."""
    asked = _validation(gateway.body, port)
    if asked is None or made.settings is None:
        return made
    refs = asked.ca_certificate_refs
    problem = (
        ca_problem(gateway, refs[0], world)
        if len(refs) == 1
        else Problem("InvalidCACertificateRef", f"exactly one caCertificateRef is needed, not {len(refs)}")
    )
    if problem is not None:
        accepted = Problem("NoValidCACertificate", problem.message)
        return ListenerSecurity(None, problem, accepted)
    ref = refs[0]
    insecure = asked.mode == "AllowInsecureFallback"
    scheme = "configmap" if ref.kind == "ConfigMap" else "kubernetes-gateway"
    mode = "OPTIONAL_MUTUAL" if insecure or made.settings.mode == "OPTIONAL_MUTUAL" else "MUTUAL"
    settings = replace(
        made.settings,
        mode=mode,
        ca_cert_credential_name=f"{scheme}://{ref.namespace or gateway.namespace}/{ref.name}-cacert",
        insecure_skip_verify=insecure,
    )
    return ListenerSecurity(settings, made.resolved, insecure=insecure)


def _validation(body: Gateway, port: int) -> FrontendValidation | None:
    frontend = body.tls.frontend if body.tls is not None else None
    if frontend is None:
        return None
    chosen = next((entry.tls for entry in frontend.per_port if entry.port == port), frontend.default)
    return chosen.validation if chosen is not None else None


def ca_problem(owner: Object, ref: ObjectReference, world: World, *, secrets: bool = True) -> Problem | None:
    """Why the roots ``ref`` cannot serve: a ConfigMap, or with ``secrets`` a Secret, with ``ca.crt``."""
    namespace = ref.namespace or owner.namespace
    if ref.group or ref.kind not in ("ConfigMap", *(("Secret",) if secrets else ())):
        return Problem("InvalidCACertificateKind", f"{ref.group or 'core'} {ref.kind} holds no roots")
    kind = owner.kind.partition(".")[0]
    if not world.grants.permits(kind, owner.namespace, ("", ref.kind), namespace, ref.name):
        return Problem("RefNotPermitted", f"no ReferenceGrant of namespace {namespace} lets it name {ref.name}")
    found = world.of(ref.kind).get((namespace, ref.name))
    if found is None:
        return Problem("InvalidCACertificateRef", f"there is no {ref.kind} {namespace}/{ref.name}")
    roots = found.body.held.get("ca.crt")
    fault = key_pair.roots_fault(roots, b"") if roots else "it has no ca.crt"
    return Problem("InvalidCACertificateRef", f"{ref.kind} {namespace}/{ref.name}: {fault}") if fault else None
