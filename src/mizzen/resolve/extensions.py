"""Which extensions a proxy has, in which order, and how it comes to their modules (rows WP-02, WP-06, WP-11, WP-13)."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping

from mizzen.api.extension import TrafficExtension, WasmConfig, WasmPlugin
from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.extension import (
    DIRECTORY,
    DOCKER_CONFIG,
    NAME_PREFIX,
    UNFETCHED,
    Delivery,
    Extension,
    Module,
    Phase,
    Way,
)
from mizzen.model.finding import Finding, Level
from mizzen.model.proxy import Proxy
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import NO_PLUGINS, Plugins
from mizzen.resolve import problems
from mizzen.resolve.policies import in_force

_TRANSLATED = "~istio-translated-wasmplugin"
_FIELDS = (
    "url",
    "sha256",
    "image_pull_policy",
    "image_pull_secret",
    "plugin_config",
    "plugin_name",
    "fail_strategy",
    "vm_config",
    "type",
)


def extensions(
    plugins: Mapping[ObjectKey, Object], written: Mapping[ObjectKey, Object], root_namespace: str
) -> tuple[Extension, ...]:
    """Every extension of the mesh in filter order, whatever its phase (row WP-06).

    Higher priority first, none last; then a namespace's own before the root's, the older, the name.
    """
    found = [_of_plugin(obj) for obj in plugins.values()]
    found += [made for obj in written.values() if (made := _of_extension(obj)) is not None]
    return tuple(sorted(found, key=lambda item: _rank(item, root_namespace)))


def _rank(item: Extension, root_namespace: str) -> tuple[float, bool, tuple[str, str, str]]:
    priority = math.inf if item.priority is None else -item.priority
    return (priority, item.namespace == root_namespace, item.owner.age_key)


def _of_plugin(obj: Object) -> Extension:
    body: WasmPlugin = obj.body
    wasm = WasmConfig(**{name: getattr(body, name) for name in _FIELDS})
    phase = Phase(body.phase.removeprefix("UNSPECIFIED_PHASE"))
    return _wasm(obj, f"{obj.namespace}.{obj.name}{_TRANSLATED}", wasm, phase)


def _of_extension(obj: Object) -> Extension | None:
    body: TrafficExtension = obj.body
    phase = Phase(body.phase.removeprefix("UNSPECIFIED"))
    name = f"{obj.namespace}.{obj.name}"
    if body.wasm is not None:
        return _wasm(obj, name, body.wasm, phase)
    if body.lua is None:
        return None
    return Extension(obj, NAME_PREFIX + name, phase, body.priority, body.match, lua=body.lua.inline_code)


def _wasm(obj: Object, name: str, wasm: WasmConfig, phase: Phase) -> Extension:
    body = obj.body
    return Extension(
        obj,
        NAME_PREFIX + name,
        phase,
        body.priority,
        body.match,
        network=wasm.type == "NETWORK",
        module=_module(obj, wasm),
        wasm=wasm,
    )


def _module(obj: Object, wasm: WasmConfig) -> Module:
    url = wasm.url if "://" in wasm.url else f"oci://{wasm.url}"
    again = obj.meta.resource_version or str(obj.meta.generation)
    return Module(
        url, wasm.sha256, obj.namespace, wasm.image_pull_secret, again if _always(url, wasm.image_pull_policy) else ""
    )


def _always(url: str, policy: str) -> bool:
    """Unset: only what has no fixed tag (row WP-04)."""
    if policy != "UNSPECIFIED_POLICY":
        return policy == "Always"
    image = url.removeprefix("oci://").rpartition("/")[2]
    return url.startswith("oci://") and "@" not in image and image.partition(":")[2] in ("", "latest")


def of_proxy(snapshot: Snapshot, namespace: str, labels: dict[str, str]) -> tuple[Extension, ...]:
    """Those in force on a workload, in filter order: its namespace's and the root's (row WP-11)."""
    root, features = snapshot.mesh.root_namespace, snapshot.config.features
    return tuple(e for e in snapshot.extensions if in_force((e.owner,), namespace, labels, root, features))


def names(found: Iterable[Extension]) -> Hashable:
    """What tells apart the listeners of proxies of one snapshot."""
    return tuple(item.name for item in found)


def plugins(snapshot: Snapshot, proxy: Proxy) -> Plugins:
    """The extensions of ``proxy`` with what is known of their modules."""
    found = tuple((item, _delivery(item, proxy)) for item in of_proxy(snapshot, proxy.namespace, proxy.labels))
    if not found:
        return NO_PLUGINS
    return Plugins(tuple((item.name, delivery) for item, delivery in found), found)


def _delivery(item: Extension, proxy: Proxy) -> Delivery:
    module = item.module
    if module is None or module.path:
        return Delivery(Way.FILE, module.path if module else "")
    if not proxy.fetches:
        return Delivery(Way.REMOTE)
    if proxy.modules is None:
        return Delivery(Way.UNKNOWN)
    state = proxy.modules.get(module.key)
    if state is None:
        return Delivery(Way.AWAITED)
    if not state.sha256:
        return Delivery(Way.FAILED, reason=state.error)
    return Delivery(Way.FILE, f"{DIRECTORY}/{state.sha256}.wasm")


def extension_findings(found: tuple[Extension, ...], secrets: Mapping[ObjectKey, Object]) -> tuple[Finding, ...]:
    """A warning for each pull secret that is missing or is none (row WP-04)."""
    warnings = []
    for item in found:
        module = item.module
        if module is None or not module.secret:
            continue
        secret = secrets.get((module.namespace, module.secret))
        field = "spec.imagePullSecret" if item.kind == "WasmPlugin" else "spec.wasm.imagePullSecret"
        if secret is None:
            warnings.append(problems.missing(item.owner, "secret", module.secret, field))
        elif secret.body.type != DOCKER_CONFIG:
            text = f"the Secret {module.secret} is not of type {DOCKER_CONFIG}: the image is fetched without it"
            warnings.append(problems.about(item.owner, UNFETCHED, Level.WARNING, text, field))
    return tuple(warnings)
