"""What a Gateway of the Gateway API is deployed as: ServiceAccount, Service and Deployment (rows GA-03, GA-04, GA-06, GA-25).

The proxy's part is that of the injection template ``gateway``. The pods are marked as not to be injected: nothing is left
to inject, so they run in a namespace without the label, and without a webhook.
"""

from __future__ import annotations

import copy

from mizzen.inject.facts import CANONICAL_NAME, CANONICAL_REVISION
from mizzen.inject.merge import Json, merge
from mizzen.inject.owner import Owner
from mizzen.inject.pod import TEMPLATE_CHOICE, render
from mizzen.inject.settings import InjectSettings
from mizzen.model.gateway_plan import OPTIONAL, GatewayPlan
from mizzen.model.generated import GATEWAY_NAME

CLASS_NAME = "gateway.networking.k8s.io/gateway-class-name"
MANAGED = "gateway.istio.io/managed"
MANAGER = "istio.io-gateway-controller"
_INJECT = "sidecar.istio.io/inject"


def objects(plan: GatewayPlan, settings: InjectSettings) -> list[Json]:
    """The objects, the account first. Raises ValueError when a patch changes who they are, or a setting cannot be read."""
    made = {"serviceAccount": _account(plan), "service": _service(plan), "deployment": _deployment(plan, settings)}
    if plan.service_account:
        del made["serviceAccount"]
    for kind in OPTIONAL:
        if any(kind in overlay for overlay in plan.overlays):
            made[kind] = _bare(plan, kind)
    return [_patched(kind, raw, plan) for kind, raw in made.items()]


def _patched(kind: str, raw: Json, plan: GatewayPlan) -> Json:
    for overlay in plan.overlays:
        if kind in overlay:
            before = raw["metadata"]
            raw = merge(raw, copy.deepcopy(overlay[kind]))
            kept = ("name", "namespace", "ownerReferences", "finalizers")
            if any(raw["metadata"].get(name) != before.get(name) for name in kept):
                raise ValueError(f"a patch of {kind} may not change its name, owner or finalizers")
    return raw


def _meta(plan: GatewayPlan) -> Json:
    labels = {**plan.labels, GATEWAY_NAME: plan.gateway, CLASS_NAME: plan.class_name, MANAGED: MANAGER}
    return {
        "name": plan.name,
        "namespace": plan.namespace,
        "labels": labels,
        "annotations": dict(plan.annotations),
        "ownerReferences": [plan.owner],
    }


def _account(plan: GatewayPlan) -> Json:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(plan)}


def _service(plan: GatewayPlan) -> Json:
    ports: list[Json] = [
        {"name": "status-port", "port": 15021, "targetPort": 15021, "protocol": "TCP", "appProtocol": "tcp"}
    ]
    for port in plan.ports:
        ports.append(
            {
                "name": port.name.replace(".", "-")[:63],
                "port": port.number,
                "targetPort": port.number,
                "protocol": "TCP",
                "appProtocol": port.protocol.lower(),
            }
        )
    spec: Json = {
        "type": plan.service_type,
        "ipFamilyPolicy": "PreferDualStack",
        "selector": {GATEWAY_NAME: plan.gateway},
        "ports": ports,
    }
    if plan.address and plan.service_type == "LoadBalancer":
        spec["loadBalancerIP"] = plan.address
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(plan), "spec": spec}


def _deployment(plan: GatewayPlan, settings: InjectSettings) -> Json:
    labels = {CANONICAL_NAME: plan.name, CANONICAL_REVISION: "latest", **_meta(plan)["labels"]}
    pod: Json = {
        "metadata": {"labels": labels, "annotations": {**plan.annotations, TEMPLATE_CHOICE: "gateway"}},
        "spec": {
            "serviceAccountName": plan.service_account or plan.name,
            "containers": [{"name": "istio-proxy", "image": "auto", "ports": [_health()]}],
        },
    }
    done = render(pod, plan.namespace, Owner(plan.name, "Deployment", "apps/v1"), settings)
    if done.errors:
        raise ValueError("; ".join(finding.message for finding in done.errors))
    template = {"metadata": dict(done.pod["metadata"]), "spec": done.pod["spec"]}
    template["metadata"]["labels"] = {**template["metadata"]["labels"], _INJECT: "false"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(plan),
        "spec": {"selector": {"matchLabels": {GATEWAY_NAME: plan.gateway}}, "template": template},
    }


def _health() -> Json:
    return {"containerPort": 15021, "protocol": "TCP", "name": "status-port"}


def _bare(plan: GatewayPlan, kind: str) -> Json:
    """An autoscaler or a disruption budget of which a patch says the rest."""
    if kind == "podDisruptionBudget":
        spec: Json = {"selector": {"matchLabels": {GATEWAY_NAME: plan.gateway}}}
        return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": _meta(plan), "spec": spec}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": plan.name}
    spec = {"scaleTargetRef": target, "maxReplicas": 1}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": _meta(plan), "spec": spec}
