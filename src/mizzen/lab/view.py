"""What ``ps``, ``ready`` and ``rollout`` tell of a mesh."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509

from mizzen.lab import settings, workloads
from mizzen.model.identity import Identity

if TYPE_CHECKING:
    from mizzen.lab.pod import RunningPod
    from mizzen.lab.supervisor import Supervisor

Raw = dict[str, Any]


def status(supervisor: Supervisor) -> Raw:
    """The document of ``mizzen ps -o json``."""
    control = supervisor.controlplane
    return {
        "mesh": supervisor.mesh,
        "state": str(supervisor.state),
        "pods": [
            _pod(supervisor, raw, supervisor.pods.get(raw["metadata"]["uid"])) for raw in supervisor.store.list("Pod")
        ],
        "controlplane": {
            "pid": control.process.pid if control.process else 0,
            "ready": control.ready,
            "addresses": control.addresses,
        },
        "gateways": [_gateway(supervisor, name) for name in ("istio-ingressgateway", "istio-egressgateway")],
        "network": {
            "namespace": f"mizzen-{supervisor.mesh}",
            "pods": str(supervisor.network.subnets.pods),
            "services": str(supervisor.network.subnets.services),
        },
        "settings": settings.digest(supervisor.settings),
        "authorizationMode": supervisor.authorization,
        "warnings": supervisor.warnings,
    }


def _pod(supervisor: Supervisor, raw: Raw, running: RunningPod | None) -> Raw:
    meta, now = raw["metadata"], raw.get("status") or {}
    statuses = now.get("containerStatuses") or []
    phase = "Terminating" if meta.get("deletionTimestamp") else now.get("phase", "Pending")
    identity = Identity(
        supervisor.admission.mesh().trust_domain, meta["namespace"], raw["spec"].get("serviceAccountName") or "default"
    )
    certificate = _certificate(running)
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "workload": _workload(raw),
        "ip": now.get("podIP", ""),
        "phase": phase,
        "ready": workloads.is_ready(raw),
        "containers": {
            "ready": sum(bool(s.get("ready")) for s in statuses),
            "total": len(raw["spec"].get("containers") or []),
        },
        "restarts": sum(int(s.get("restartCount", 0)) for s in statuses),
        "node_id": _node_id(raw),
        "pids": _pids(running),
        "identity": identity.uri if _meshed(raw) else "",
        "cert_expires": certificate,
        "message": now.get("message", ""),
        "created": meta.get("creationTimestamp", ""),
    }


def _meshed(raw: Raw) -> bool:
    return "sidecar.istio.io/status" in (raw["metadata"].get("annotations") or {})


def _workload(raw: Raw) -> str:
    meta = raw["metadata"]
    name = next(
        (str(r.get("name")) for r in meta.get("ownerReferences") or [] if r.get("controller")), str(meta["name"])
    )
    suffix = (meta.get("labels") or {}).get("pod-template-hash")
    return name.removesuffix(f"-{suffix}") if suffix else name


def _node_id(raw: Raw) -> str:
    if not _meshed(raw):
        return ""
    meta = raw["metadata"]
    arguments = [a for c in raw["spec"]["containers"] if c.get("name") == "istio-proxy" for a in c.get("args") or []]
    kind = "router" if "router" in arguments else "sidecar"
    namespace = meta["namespace"]
    return (
        f"{kind}~{(raw.get('status') or {}).get('podIP', '')}~{meta['name']}.{namespace}~{namespace}.svc.cluster.local"
    )


def _pids(running: RunningPod | None) -> Raw:
    pids: Raw = {"app": 0, "agent": 0, "envoy": 0}
    if running is None:
        return pids
    for name, container in running.containers.items():
        if container.process is None:
            continue
        if name == "istio-proxy":
            pids["agent"] = container.process.pid
            pids["envoy"] = _child(container.process.pid, "envoy")
        elif not pids["app"]:
            pids["app"] = container.process.pid
    return pids


def _child(pid: int, name: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        for text in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            if Path(f"/proc/{text}/comm").read_text(encoding="ascii").strip() == name:
                return int(text)
            if found := _child(int(text), name):
                return found
    return 0


def _certificate(running: RunningPod | None) -> str:
    """When the workload certificate that Envoy uses ends, RFC 3339; empty without one."""
    if running is None or not running.holder:
        return ""
    import base64
    import json

    with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
        path = Path(f"/proc/{running.holder}/root/etc/istio/proxy/sds/default.json")
        secret = json.loads(path.read_text(encoding="utf-8"))["resources"][0]
        chain = secret["tls_certificate"]["certificate_chain"]
        pem = base64.b64decode(chain["inline_bytes"]) if "inline_bytes" in chain else chain["inline_string"].encode()
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    return ""


def _gateway(supervisor: Supervisor, name: str) -> Raw:
    service = supervisor.store.get("Service", "istio-system", name) or {"spec": {}}
    ports = [int(p["port"]) for p in service["spec"].get("ports") or []]
    local = supervisor.localhost if name == "istio-ingressgateway" else {}
    return {"name": name, "ip": service["spec"].get("clusterIP", ""), "ports": ports, "localhost": local}


def waiting(supervisor: Supervisor) -> list[str]:
    """What is not ready, each with its reason."""
    found = []
    if not supervisor.controlplane.ready:
        found.append("control plane: not ready")
    for kind in ("Deployment", "StatefulSet", "DaemonSet"):
        for raw in supervisor.store.list(kind):
            done, message = rollout(raw)
            if not done:
                found.append(f"{kind.lower()} {raw['metadata']['namespace']}/{raw['metadata']['name']}: {message}")
    for raw in supervisor.store.list("Pod"):
        phase = (raw.get("status") or {}).get("phase")
        if (
            not workloads.is_ready(raw)
            and phase != "Succeeded"
            and not raw["metadata"].get("deletionTimestamp")
            and not _of_job(raw)
        ):
            found.append(f"pod {raw['metadata']['namespace']}/{raw['metadata']['name']}: {reason(raw)}")
    return found


def stuck(supervisor: Supervisor) -> bool:
    """Whether everything waits for pods that only a change of some object can help: an image that nobody knows, a
    ConfigMap that is not there."""
    if not supervisor.controlplane.ready:
        return False
    unready = [
        raw
        for raw in supervisor.store.list("Pod")
        if not workloads.is_ready(raw) and (raw.get("status") or {}).get("phase") != "Succeeded" and not _of_job(raw)
    ]
    return bool(unready) and all((raw.get("status") or {}).get("reason") == "CreateContainerError" for raw in unready)


def _of_job(raw: Raw) -> bool:
    return any(r.get("kind") == "Job" for r in raw["metadata"].get("ownerReferences") or [])


def reason(raw: Raw) -> str:
    """Why a pod is not ready, in a few words."""
    now = raw.get("status") or {}
    if now.get("message"):
        return str(now["message"])
    for each in [*(now.get("initContainerStatuses") or []), *(now.get("containerStatuses") or [])]:
        state = each.get("state") or {}
        last = (each.get("lastState") or {}).get("terminated") or {}
        if "waiting" in state and state["waiting"].get("reason") not in ("PodInitializing", "ContainerCreating"):
            detail = state["waiting"].get("message") or _end(last)
            return f"{each['name']}: {state['waiting']['reason']} {detail}".strip()
    unready = [str(each["name"]) for each in now.get("containerStatuses") or [] if not each.get("ready")]
    return f"waiting for {', '.join(unready)}" if unready else "starting"


def _end(last: Raw) -> str:
    """How a container ended: its exit code and last words."""
    if "exitCode" not in last:
        return ""
    return f"exit code {last['exitCode']}" + (f": {last['message']}" if last.get("message") else "")


def rollout(raw: Raw) -> tuple[bool, str]:
    """Whether a workload runs as its present specification says."""
    now, wanted = raw.get("status") or {}, workloads.replicas(raw)
    if now.get("observedGeneration") != raw["metadata"].get("generation"):
        return False, "not looked at yet"
    if raw["kind"] == "DaemonSet":
        ready = int(now.get("numberReady", 0))
        return ready >= wanted, f"{ready} of {wanted} pods ready"
    updated, ready, total = (int(now.get(name, 0)) for name in ("updatedReplicas", "readyReplicas", "replicas"))
    if raw["kind"] == "Deployment" and updated < wanted:
        return False, f"{updated} of {wanted} pods updated"
    if total > wanted:
        return False, f"{total - wanted} old pods still end"
    return ready >= wanted, f"{ready} of {wanted} pods ready"
