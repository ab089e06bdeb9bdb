"""The template ``sidecar``: capture in an init container, Envoy and its agent beside the app (rows IP-01, IP-02, IP-12)."""

from __future__ import annotations

from mizzen.inject.facts import INIT, PROXY, VALIDATION, Facts
from mizzen.inject.merge import Json
from mizzen.inject.parts import (
    canonical_labels,
    environment,
    image,
    log_arguments,
    metadata_environment,
    mounts,
    readiness,
    volumes,
)
from mizzen.model.annotations import REROUTE, TRAFFIC


def sidecar(facts: Facts) -> Json:
    """The part of a pod that this template adds."""
    labels = {
        "security.istio.io/tlsMode": facts.labels.get("security.istio.io/tlsMode") or "istio",
        **canonical_labels(facts),
    }
    spec: Json = {"volumes": volumes(facts)}
    inits = [] if facts.interception == "NONE" else [_capture(facts)]
    if facts.native:
        spec["initContainers"] = [*inits, _proxy(facts)]
    else:
        spec["containers"] = [_proxy(facts)]
        if inits:
            spec["initContainers"] = inits
    return {"metadata": {"labels": labels, "annotations": _annotations(facts)}, "spec": spec}


def capture_arguments(facts: Facts) -> list[str]:
    """Of ``istio-iptables`` (row IP-01)."""
    proxy = facts.settings.proxy
    mesh = facts.settings.mesh
    args = ["istio-iptables", "-p", str(mesh.proxy_listen_port), "-z", str(mesh.proxy_inbound_listen_port)]
    args += ["-u", str(facts.proxy_uid), "-m", facts.interception]
    args += ["-i", facts.traffic("includeOutboundIPRanges", proxy.include_ip_ranges)]
    args += ["-x", facts.traffic("excludeOutboundIPRanges", proxy.exclude_ip_ranges)]
    args += ["-b", facts.traffic("includeInboundPorts", proxy.include_inbound_ports)]
    args += ["-d", _excluded_inbound(facts, "15090,15021")]
    optional = {
        "-q": facts.traffic("includeOutboundPorts", proxy.include_outbound_ports),
        "-o": facts.traffic("excludeOutboundPorts", proxy.exclude_outbound_ports),
        "-k": facts.annotations.get(REROUTE) or facts.traffic("kubevirtInterfaces", ""),
        "-c": facts.traffic("excludeInterfaces", proxy.exclude_interfaces),
    }
    for flag, value in optional.items():
        if value:
            args += [flag, value]
    args.append(f"--log_output_level={facts.sidecar('agentLogLevel', proxy.agent_log_level)}")
    if proxy.log_as_json:
        args.append("--log_as_json")
    if facts.settings.cni:
        args += ["--run-validation", "--skip-rule-apply"]
    elif proxy.force_apply_iptables:
        args.append("--force-apply")
    if proxy.native_nftables:
        args.append("--native-nftables")
    return args


def _excluded_inbound(facts: Facts, first: str) -> str:
    parts = [first, facts.traffic("excludeInboundPorts", facts.settings.proxy.exclude_inbound_ports)]
    parts.append(str(facts.status_port) if facts.status_port else "")
    # Once each: under CNI the annotation of an earlier injection already holds the status port.
    return ",".join(dict.fromkeys(port for part in parts for port in part.split(",") if port))


def _capture(facts: Facts) -> Json:
    cni = facts.settings.cni
    context: Json = {
        "allowPrivilegeEscalation": facts.settings.proxy.privileged,
        "privileged": facts.settings.proxy.privileged,
        "capabilities": {"drop": ["ALL"]} if cni else {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
        "readOnlyRootFilesystem": cni,
        "runAsGroup": facts.proxy_gid if cni else 0,
        "runAsUser": facts.proxy_uid if cni else 0,
        "runAsNonRoot": cni,
    }
    container: Json = {
        "name": VALIDATION if cni else INIT,
        "image": facts.sidecar("proxyImage", facts.settings.proxy.init_image or image(facts)),
        "args": capture_arguments(facts),
        "resources": facts.resources(),
        "securityContext": _with_seccomp(context, facts),
    }
    if env := metadata_environment(facts):
        container["env"] = env
    return _with_policy(container, facts)


def _proxy(facts: Facts) -> Json:
    container: Json = {
        "name": PROXY,
        "image": image(facts),
        "args": [
            "proxy",
            "sidecar",
            "--domain",
            f"$(POD_NAMESPACE).svc.{facts.settings.domain}",
            *log_arguments(facts),
        ],
        "env": environment(facts),
        "ports": [{"containerPort": 15090, "protocol": "TCP", "name": "http-envoy-prom"}],
        "resources": facts.resources(),
        "securityContext": _security(facts),
        "volumeMounts": mounts(facts),
    }
    if facts.native:
        container["restartPolicy"] = "Always"
    if facts.status_port:
        container["readinessProbe"] = readiness(facts)
        if facts.settings.proxy.startup_probe:
            failures = facts.settings.proxy.startup_failures
            get = {"path": "/healthz/ready", "port": 15021}
            container["startupProbe"] = {
                "httpGet": get,
                "periodSeconds": 1,
                "timeoutSeconds": 3,
                "failureThreshold": failures,
            }
    if lifecycle := _lifecycle(facts):
        container["lifecycle"] = lifecycle
    return _with_policy(container, facts)


def _lifecycle(facts: Facts) -> Json:
    if facts.native:
        command = ["pilot-agent", "request", f"--debug-port={facts.status_port}", "POST", "drain"]
        return {"preStop": {"exec": {"command": command}}}
    if facts.settings.proxy.lifecycle:
        return facts.settings.proxy.lifecycle
    return {"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}} if facts.hold else {}


def _security(facts: Facts) -> Json:
    transparent = facts.interception == "TPROXY"
    low_ports = facts.annotations.get("sidecar.istio.io/capNetBindService") == "true"
    capabilities: Json = {"drop": ["ALL"]}
    added = ["NET_ADMIN"] * transparent + ["NET_BIND_SERVICE"] * low_ports
    if added:
        capabilities = {"add": added, "drop": ["ALL"]}
    context: Json = {
        "allowPrivilegeEscalation": facts.settings.proxy.privileged,
        "capabilities": capabilities,
        "privileged": facts.settings.proxy.privileged,
        "readOnlyRootFilesystem": True,
        "runAsGroup": 1337,
        "runAsNonRoot": not added,
        "runAsUser": 0 if added else 1337,
    }
    return _with_seccomp(context, facts)


def _with_seccomp(context: Json, facts: Facts) -> Json:
    profile = facts.settings.proxy.seccomp_profile
    return {**context, "seccompProfile": profile} if profile else context


def _with_policy(container: Json, facts: Facts) -> Json:
    policy = facts.settings.proxy.image_pull_policy
    return {**container, "imagePullPolicy": policy} if policy else container


def _annotations(facts: Facts) -> dict[str, str]:
    if not facts.settings.cni:
        return {}
    proxy = facts.settings.proxy
    found = {
        "sidecar.istio.io/interceptionMode": facts.interception,
        TRAFFIC + "includeOutboundIPRanges": facts.traffic("includeOutboundIPRanges", proxy.include_ip_ranges),
        TRAFFIC + "excludeOutboundIPRanges": facts.traffic("excludeOutboundIPRanges", proxy.exclude_ip_ranges),
        TRAFFIC + "includeInboundPorts": facts.traffic("includeInboundPorts", proxy.include_inbound_ports),
        TRAFFIC + "excludeInboundPorts": _excluded_inbound(facts, ""),
        TRAFFIC + "includeOutboundPorts": facts.traffic("includeOutboundPorts", proxy.include_outbound_ports),
        TRAFFIC + "excludeOutboundPorts": facts.traffic("excludeOutboundPorts", proxy.exclude_outbound_ports),
        TRAFFIC + "excludeInterfaces": facts.traffic("excludeInterfaces", proxy.exclude_interfaces),
    }
    return {name: value for name, value in found.items() if value}
