"""Which Gateways are to be deployed, and how (rows GA-03, GA-04, GA-06)."""

from __future__ import annotations

from collections.abc import Iterable

from mizzen.api import inline_yaml
from mizzen.api.meta import Object
from mizzen.model.gateway_plan import OVERLAYS, GatewayPlan, GatewayPort
from mizzen.resolve.gateway_api.attachment import EVERY, Listeners
from mizzen.resolve.gateway_api.classes import SERVICE_ACCOUNT, Deployment, Served, own_name
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.world import World

SERVICE_TYPE = "networking.istio.io/service-type"
DEFAULTS = "gateway.istio.io/defaults-for-class"
_NOT_COPIED = ("gateway.networking.k8s.io/", "gateway.istio.io/", "kubectl.kubernetes.io/")


def plan(item: Served, listeners: Listeners, world: World, root_namespace: str) -> GatewayPlan | Problem | None:
    """How ``item`` is deployed: not at all (None), or not because of what is wrong with its parameters."""
    if item.deployment is not Deployment.AUTOMATIC:
        return None
    gateway = item.gateway
    try:
        overlays = _overlays(gateway, world, root_namespace)
    except ValueError as error:
        return Problem("InvalidParameters", str(error))
    infrastructure = gateway.body.infrastructure
    labels = infrastructure.labels if infrastructure is not None else None
    annotations = infrastructure.annotations if infrastructure is not None else None
    if not world.options.copies:
        labels, annotations = labels or {}, annotations or {}
    passed = _copied(gateway.meta.annotations if annotations is None else annotations)
    told = {**gateway.meta.annotations, **passed}
    addresses = gateway.body.addresses
    return GatewayPlan(
        name=own_name(gateway),
        gateway=gateway.name,
        namespace=gateway.namespace,
        class_name=gateway.body.gateway_class_name,
        owner=_owner(gateway),
        ports=tuple(_ports(gateway, listeners)),
        labels=_copied(gateway.meta.labels if labels is None else labels),
        annotations=passed,
        service_type=told.get(SERVICE_TYPE) or "LoadBalancer",
        address=addresses[0].value if addresses else "",
        service_account=gateway.meta.annotations.get(SERVICE_ACCOUNT, ""),
        overlays=overlays,
    )


def _owner(gateway: Object) -> dict[str, str]:
    api_version = "gateway.networking.k8s.io/v1"
    return {"apiVersion": api_version, "kind": "Gateway", "name": gateway.name, "uid": gateway.meta.uid}


def _ports(gateway: Object, listeners: Listeners) -> Iterable[GatewayPort]:
    seen: set[int] = set()
    for bound in listeners.get((EVERY, gateway.namespace, gateway.name), ()):
        if bound.port and bound.port not in seen and bound.accepted is None:
            seen.add(bound.port)
            yield GatewayPort(bound.listener.name, bound.port, bound.listener.protocol)


def _copied(written: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in written.items() if not key.startswith(_NOT_COPIED)}


def _overlays(gateway: Object, world: World, root_namespace: str) -> tuple[dict[str, dict[str, object]], ...]:
    """The patches of the class, then those of the Gateway's own parameters. Raises ValueError."""
    name = gateway.body.gateway_class_name
    maps = [o for o in world.aged("ConfigMap") if o.meta.labels.get(DEFAULTS) == name and o.namespace == root_namespace]
    found = maps[:1]
    infrastructure = gateway.body.infrastructure
    ref = infrastructure.parameters_ref if infrastructure is not None else None
    if ref is not None:
        if (ref.group, ref.kind) != ("", "ConfigMap"):
            raise ValueError(f"parametersRef names a ConfigMap, not {ref.group or 'core'} {ref.kind}")
        own = world.of("ConfigMap").get((gateway.namespace, ref.name))
        if own is None:
            raise ValueError(f"there is no ConfigMap {gateway.namespace}/{ref.name}")
        found.append(own)
    return tuple(_patches(obj) for obj in found)


def _patches(obj: Object) -> dict[str, dict[str, object]]:
    patches = {}
    for key, text in obj.body.data.items():
        if key not in OVERLAYS:
            raise ValueError(f"ConfigMap {obj.name}: {key!r} is none of {', '.join(OVERLAYS)}")
        try:
            patch = inline_yaml.load(text)
        except ValueError as error:
            raise ValueError(f"ConfigMap {obj.name}: {key}: {error}") from error
        if not isinstance(patch, dict):
            raise ValueError(f"ConfigMap {obj.name}: {key} is no map")
        patches[key] = patch
    return patches
