"""The lab's controllers: from what users applied to ReplicaSets, Pods, EndpointSlices, addresses and statuses.

One synchronous pass over the store, run again after every change until nothing changes any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from mizzen.api.meta import Origin
from mizzen.lab import services, workloads
from mizzen.lab.allocated import Allocation
from mizzen.lab.gateways import GatewayController
from mizzen.lab.machines import is_machine
from mizzen.lab.manual_endpoints import mirrored
from mizzen.lab.network import Subnets
from mizzen.lab.store import Store, timestamp
from mizzen.resolve.ingress_status import statuses
from mizzen.sources.config import config_of
from mizzen.sources.files import Document

Raw = dict[str, Any]
Inject = Callable[[Raw], Raw]
_REVOKED = "ca-crl.pem"
_TRUST = {"istio-ca-root-cert": "root-cert.pem", "istio-ca-crl": _REVOKED}
"""ConfigMaps by name, each with its one key (rows CR-05, CR-10)."""
_WITHOUT_TRUST = {"kube-public", "kube-node-lease", "local-path-storage"}
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


class Controllers:
    """``inject`` patches a pod; ``trust`` reads a file that the control plane leaves for all: ``root-cert.pem`` and
    ``ca-crl.pem``, as text, empty while there is none. ``environment`` is the control plane's."""

    def __init__(
        self,
        store: Store,
        subnets: Subnets,
        node: str,
        inject: Inject,
        trust: Callable[[str], str],
        environment: Mapping[str, str] | None = None,
        gateways: GatewayController | None = None,
    ) -> None:
        self._store = store
        self._subnets = subnets
        self._node = node
        self._inject = inject
        self._trust = trust
        self._allocation = Allocation(environment or {})
        self._gateways = gateways

    def step(self) -> None:
        """One pass."""
        self._namespaces()
        self._addresses()
        for deployment in self._store.list("Deployment"):
            self._deployment(deployment)
        for kind in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job"):
            for workload in self._store.list(kind):
                self._pods(workload)
        self._orphans()
        self._slices()
        for entry, status in self._allocation.statuses(self._store.list("ServiceEntry"), self._store.list("Service")):
            self._store.put_status(entry, status)
        self._ingresses()
        if self._gateways is not None:
            self._gateways.step()

    def _namespaces(self) -> None:
        wanted = {"default", "istio-system", "kube-system"} | {
            raw["metadata"]["namespace"] for raw in self._store.list() if raw["metadata"].get("namespace")
        }
        for name in sorted(wanted):
            if self._store.get("Namespace", "", name) is None:
                labels = {"kubernetes.io/metadata.name": name}
                self._store.put(
                    {
                        "apiVersion": "v1",
                        "kind": "Namespace",
                        "metadata": {"name": name, "labels": labels},
                        "status": {"phase": "Active"},
                    }
                )
            if self._store.get("ServiceAccount", name, "default") is None:
                self._store.put(
                    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
                )
        for name, key in _TRUST.items():
            self._distribute(name, key, self._trust(key), sorted(wanted - _WITHOUT_TRUST))

    def _distribute(self, name: str, key: str, text: str, namespaces: list[str]) -> None:
        """A ConfigMap for the proxies of each namespace, healed when somebody edits or deletes it (row CR-05)."""
        for namespace in namespaces:
            meta = {"name": name, "namespace": namespace, "labels": {"istio.io/config": "true"}}
            if text:
                self._store.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {key: text}})
            elif key == _REVOKED and self._store.get("ConfigMap", namespace, name) is not None:
                self._store.delete("ConfigMap", namespace, name)

    def _addresses(self) -> None:
        every = self._store.list("Service")
        for (namespace, name), address in services.assign(every, self._subnets.services).items():
            service = self._store.get("Service", namespace, name)
            if service is not None:
                spec = {**(service.get("spec") or {}), "clusterIP": address, "clusterIPs": [address]}
                self._store.put({**service, "spec": spec})
        for service in self._store.list("Service"):
            if service["spec"].get("type") == "LoadBalancer":
                self._store.put_status(service, {"loadBalancer": {"ingress": [{"ip": service["spec"]["clusterIP"]}]}})

    def _deployment(self, deployment: Raw) -> None:
        if not workloads.template(deployment):
            return
        wanted = workloads.replica_set(deployment)
        sets = workloads.owned(self._store.list("ReplicaSet", deployment["metadata"]["namespace"]), deployment)
        current = next((s for s in sets if s["metadata"]["name"] == wanted["metadata"]["name"]), None)
        if current is None:
            _, current = self._store.put(wanted)
            sets.append(current)
        pods = self._store.list("Pod", deployment["metadata"]["namespace"])
        groups = {s["metadata"]["name"]: _group(s, workloads.owned(pods, s)) for s in sets}
        new = groups.pop(current["metadata"]["name"])
        plan = workloads.rollout(deployment, new, list(groups.values()))
        for item in sets:
            count = plan[item["metadata"]["name"]]
            if item is not current and count == 0 and not groups[item["metadata"]["name"]].existing:
                self._store.delete("ReplicaSet", item["metadata"]["namespace"], item["metadata"]["name"])
            elif item["spec"]["replicas"] != count:
                self._store.put({**item, "spec": {**item["spec"], "replicas": count}})
        self._deployment_status(deployment, new, list(groups.values()))

    def _deployment_status(self, deployment: Raw, new: workloads.Group, old: list[workloads.Group]) -> None:
        total, ready = workloads.replicas(deployment), new.ready + sum(g.ready for g in old)
        _, unavailable = workloads.limits(
            ((deployment.get("spec") or {}).get("strategy") or {}).get("rollingUpdate") or {}, total
        )
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": new.existing + sum(g.existing for g in old),
            "updatedReplicas": new.existing,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(0, total - ready),
            "conditions": [{"type": "Available", "status": "True" if ready >= total - unavailable else "False"}],
        }
        self._store.put_status(deployment, status)

    def _pods(self, workload: Raw) -> None:
        if not workloads.template(workload):
            return
        kind, meta = workload["kind"], workload["metadata"]
        mine = [
            p
            for p in workloads.owned(self._store.list("Pod", meta["namespace"]), workload)
            if not p["metadata"].get("deletionTimestamp")
        ]
        wanted = workloads.replicas(workload)
        if kind == "StatefulSet":
            self._stateful(workload, mine, wanted)
        elif kind == "Job":
            self._job(workload, mine, wanted)
        else:
            lost = [p for p in mine if (p.get("status") or {}).get("phase") == "Failed"]
            for pod in lost:
                self.remove_pod(pod)
            alive = [p for p in mine if p not in lost]
            for _ in range(wanted - len(alive)):
                self._create(workload, f"{meta['name']}-{_random()}")
            alive.sort(key=lambda p: (workloads.is_ready(p), p["metadata"]["creationTimestamp"]))
            for pod in alive[: max(0, len(alive) - wanted)]:
                self.remove_pod(pod)
        ready = sum(workloads.is_ready(p) for p in mine)
        if kind != "Job":
            status = {
                "observedGeneration": meta["generation"],
                "replicas": len(mine),
                "readyReplicas": ready,
                "availableReplicas": ready,
            }
            if kind == "DaemonSet":
                status = {
                    "desiredNumberScheduled": 1,
                    "currentNumberScheduled": len(mine),
                    "numberReady": ready,
                    "observedGeneration": meta["generation"],
                }
            self._store.put_status(workload, status)

    def _stateful(self, workload: Raw, mine: list[Raw], wanted: int) -> None:
        """Pods in the order of their numbers, each after the one before it is ready; a new template replaces from the end."""
        meta, names = workload["metadata"], {p["metadata"]["name"]: p for p in mine}
        present = {p["metadata"]["name"] for p in self._store.list("Pod", meta["namespace"])}
        revision = workloads.short_hash(workloads.template(workload))
        parallel = (workload.get("spec") or {}).get("podManagementPolicy") == "Parallel"
        for index in range(wanted):
            name = f"{meta['name']}-{index}"
            if name not in present:
                self._create(workload, name, {"controller-revision-hash": f"{meta['name']}-{revision}"})
            if not parallel and (name not in names or not workloads.is_ready(names[name])):
                break
        for name, pod in sorted(names.items(), key=lambda item: -_ordinal(item[0])):
            if _ordinal(name) >= wanted:
                self.remove_pod(pod)
            elif pod["metadata"]["labels"].get("controller-revision-hash") != f"{meta['name']}-{revision}":
                if all(workloads.is_ready(p) for p in mine):
                    self.remove_pod(pod)
                return

    def _job(self, workload: Raw, mine: list[Raw], wanted: int) -> None:
        phases = [(p.get("status") or {}).get("phase") for p in mine]
        done, failed = phases.count("Succeeded"), phases.count("Failed")
        completions = int((workload.get("spec") or {}).get("completions") or 1)
        limit = int((workload.get("spec") or {}).get("backoffLimit", 6))
        status: Raw = {"active": len(mine) - done - failed, "succeeded": done, "failed": failed}
        if done >= completions:
            status["conditions"] = [{"type": "Complete", "status": "True"}]
        elif failed > limit:
            status["conditions"] = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]
        else:
            for _ in range(min(wanted, completions - done) - status["active"]):
                self._create(workload, f"{workload['metadata']['name']}-{_random()}")
        self._store.put_status(workload, status)

    def _create(self, workload: Raw, name: str, labels: Raw | None = None) -> None:
        pod = workloads.pod(workload, name, generated=workload["kind"] != "StatefulSet")
        pod["metadata"]["labels"] |= labels or {}
        pod["spec"]["nodeName"] = self._node
        self._store.put(self._inject(pod))

    def remove_pod(self, pod: Raw) -> None:
        """Begin the end of a pod: who runs it sees the time of its deletion and stops it."""
        if not pod["metadata"].get("deletionTimestamp"):
            self._store.put({**pod, "metadata": {**pod["metadata"], "deletionTimestamp": timestamp()}})

    def _orphans(self) -> None:
        alive = {raw["metadata"].get("uid") for raw in self._store.list()}
        for kind in ("ReplicaSet", "EndpointSlice", "WorkloadEntry", "Pod"):
            for raw in self._store.list(kind):
                owners = [r for r in raw["metadata"].get("ownerReferences") or [] if r.get("controller")]
                if not owners or any(r.get("uid") in alive for r in owners):
                    continue
                if kind == "Pod":
                    self.remove_pod(raw)
                else:
                    self._store.delete(kind, raw["metadata"]["namespace"], raw["metadata"]["name"])

    def _ingresses(self) -> None:
        """Where each Ingress of ours can be reached. The lab does for it what the control plane does in a cluster."""
        if not self._store.list("Ingress"):
            return
        raws = [raw for kind in ("Ingress", "IngressClass", "Service", "Pod", "Node") for raw in self._store.list(kind)]
        mesh = self._store.get("ConfigMap", "istio-system", "istio")
        config = config_of([Document(raw, Origin("")) for raw in (*raws, *([mesh] if mesh else []))])
        for (namespace, name), entries in statuses(config).items():
            ingress = self._store.get("Ingress", namespace, name)
            if ingress is not None:
                self._store.put_status(ingress, {"loadBalancer": {"ingress": entries}})

    def _slices(self) -> None:
        pods = [pod for pod in self._store.list("Pod") if not is_machine(pod)]
        before = self._store.list("EndpointSlice")
        every = self._store.list("Service")
        made = [(service, services.endpoint_slices(service, pods, self._node)) for service in every]
        made += mirrored(self._store.list("Endpoints"), every)
        for maker, wanted in made:
            for item in wanted:
                self._store.put(item)
            names = {item["metadata"]["name"] for item in wanted}
            for item in workloads.owned(before, maker):
                if item["metadata"]["name"] not in names:
                    self._store.delete("EndpointSlice", item["metadata"]["namespace"], item["metadata"]["name"])


def _group(replica_set: Raw, pods: list[Raw]) -> workloads.Group:
    alive = [p for p in pods if not p["metadata"].get("deletionTimestamp")]
    ready = sum(workloads.is_ready(p) for p in alive)
    return workloads.Group(replica_set["metadata"]["name"], replica_set["spec"]["replicas"], len(pods), ready)


def _ordinal(name: str) -> int:
    tail = name.rsplit("-", 1)[-1]
    return int(tail) if tail.isdigit() else 0


def _random() -> str:
    return "".join(secrets.choice(_SUFFIX) for _ in range(5))
