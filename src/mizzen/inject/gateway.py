"""The template ``gateway``: a pod that is nothing but a proxy (row IT-05)."""

from __future__ import annotations

from mizzen.inject.facts import PROXY, Facts
from mizzen.inject.merge import Json
from mizzen.inject.parts import canonical_labels, environment, image, log_arguments, mounts, readiness, volumes


def gateway(facts: Facts) -> Json:
    """The part of a pod that this template adds."""
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsUser": 1337,
        "runAsGroup": 1337,
        "runAsNonRoot": True,
    }
    container: Json = {
        "name": PROXY,
        "image": image(facts),
        "args": ["proxy", "router", "--domain", f"$(POD_NAMESPACE).svc.{facts.settings.domain}", *log_arguments(facts)],
        "env": environment(facts),
        "ports": [{"containerPort": 15090, "protocol": "TCP", "name": "http-envoy-prom"}],
        "resources": facts.resources(),
        "securityContext": context,
        "volumeMounts": mounts(facts),
    }
    if facts.status_port:
        container["readinessProbe"] = readiness(facts)
    if facts.settings.proxy.lifecycle:
        container["lifecycle"] = facts.settings.proxy.lifecycle
    # Without it a proxy of uid 1337 could not bind 80 and 443.
    own = facts.settings.gateway_security_context
    security = own if own is not None else {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}
    spec: Json = {"containers": [container], "volumes": volumes(facts), "securityContext": security}
    return {"metadata": {"labels": canonical_labels(facts)}, "spec": spec}
