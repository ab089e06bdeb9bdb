"""What the lab does of istiod's gateway controller: classes, deployments and statuses (rows GA-02, GA-03, GA-19)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mizzen.api.meta import ObjectMeta, Origin
from mizzen.errors import MeshError
from mizzen.inject import InjectSettings, kube_gateway
from mizzen.lab.store import DEPLOYED_BY, Store, key_of, timestamp
from mizzen.model.config import Config, ObjectKey
from mizzen.model.features import GatewayApi
from mizzen.model.gateway_plan import GatewayPlan
from mizzen.resolve.gateway_api import (
    KINDS,
    REFERRED,
    Generated,
    class_status,
    class_statuses,
    generated,
    plan,
    statuses,
)
from mizzen.resolve.gateway_api.classes import KIND, built_in
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.services import by_hostname, services
from mizzen.settings import Settings
from mizzen.sources.config import config_of
from mizzen.sources.files import Document

Raw = dict[str, Any]
ROOT = "istio-system"
_MADE = ("Deployment", "Service", "ServiceAccount", "HorizontalPodAutoscaler", "PodDisruptionBudget")
OURS = 5
"""The version of this controller. A Gateway with a higher number is left to another."""
_REVISION = "istio.io/rev"
_DEFAULTS = GatewayApi()
_READ = (*KINDS, *REFERRED, "Service", "ProxyConfig")


@dataclass(frozen=True)
class Wanted:
    """What the objects of the Gateway API ask of the lab: objects to be there, and statuses (without times) by key."""

    objects: tuple[Raw, ...]
    statuses: Mapping[tuple[str, str, str], Raw]


def options_of(environment: Mapping[str, str]) -> GatewayApi:
    """What the control plane's environment says of the Gateway API; as by default where it cannot be read."""
    try:
        return Settings.of(environment).features.gateway_api
    except MeshError:
        return _DEFAULTS  # the control plane says what is wrong, and does not start


def wanted(raws: Sequence[Raw], settings: InjectSettings, options: GatewayApi = _DEFAULTS) -> Wanted:
    """Pure: from every object that there is. What cannot be deployed is told in the status of its Gateway."""
    chosen = [raw for raw in raws if key_of(raw)[0] in _READ]
    config = config_of([Document(raw, Origin("")) for raw in chosen])
    made = _converted(config, options)
    if made.world is None:
        return Wanted((), class_statuses(config.of("GatewayClass")))
    objects: list[Raw] = []
    invalid: dict[ObjectKey, Problem] = {}
    for item in made.served:
        if not _ours(item.gateway.meta, settings.revision):
            continue
        planned = plan(item, made.listeners, made.world, config.mesh.root_namespace)
        found = _rendered(planned, settings) if isinstance(planned, GatewayPlan) else planned
        if isinstance(found, Problem):
            invalid[(item.gateway.namespace, item.gateway.name)] = found
        else:
            objects += found or []
    return Wanted(tuple(objects), statuses(made, config.of("Service"), invalid))


def _ours(meta: ObjectMeta, revision: str) -> bool:
    version = meta.annotations.get(DEPLOYED_BY, "")
    return meta.labels.get(_REVISION, revision) == revision and not (version.isdecimal() and int(version) > OURS)


def _converted(config: Config, options: GatewayApi) -> Generated:
    every = services(config.of("Service"), config.of("ServiceEntry"), {}, config.mesh, config.domain)
    return generated(
        {kind: config.of(kind) for kind in (*KINDS, *REFERRED)}, by_hostname(every), config.domain, options
    )


def _rendered(planned: GatewayPlan, settings: InjectSettings) -> list[Raw] | Problem:
    try:
        return kube_gateway.objects(planned, settings)
    except ValueError as error:
        return Problem("InvalidParameters", str(error))


class GatewayController:
    """``settings`` are those of injection at the moment."""

    def __init__(self, store: Store, settings: Callable[[], InjectSettings], options: GatewayApi = _DEFAULTS) -> None:
        self._store = store
        self._settings = settings
        self._options = options
        self._seen: list[tuple[str, str]] = []

    def step(self) -> None:
        """One pass; nothing while no object that is read has changed, and none that was made is gone."""
        if not self._options.enabled:
            return
        self._classes()
        raws = self._store.list()
        read = (raw["metadata"] for raw in raws if key_of(raw)[0] in _READ)
        seen = [(meta["uid"], meta.get("resourceVersion", "")) for meta in read]
        seen += [(raw["metadata"]["uid"], "") for raw in raws if _managed(raw)]
        if seen == self._seen:
            return
        self._seen = seen
        found = wanted(raws, self._settings(), self._options)
        for raw in found.objects:
            if self._mine(raw):
                self._store.put(raw)
        for raw in found.objects:
            self._mark(raw["metadata"]["ownerReferences"][0]["name"], raw["metadata"]["namespace"])
        self._remove({key_of(raw) for raw in found.objects})
        for (kind, namespace, name), status in found.statuses.items():
            held = self._store.get(kind, namespace, name)
            if held is not None:
                self._store.put_status(held, _timed(status, held.get("status") or {}))

    def _mark(self, name: str, namespace: str) -> None:
        """Says on the Gateway which controller has deployed it."""
        held = self._store.get(KIND, namespace, name)
        annotations = (held["metadata"].get("annotations") or {}) if held is not None else {}
        if held is not None and annotations.get(DEPLOYED_BY) != str(OURS):
            meta = {**held["metadata"], "annotations": {**annotations, DEPLOYED_BY: str(OURS)}}
            self._store.put({**held, "metadata": meta}, self._store.origin(held))

    def _classes(self) -> None:
        """Made at start and when somebody deletes them; never changed (row GA-02)."""
        for name, controller in built_in(self._options).items():
            if self._store.get("GatewayClass", "", name) is None:
                made = {
                    "apiVersion": "gateway.networking.k8s.io/v1",
                    "kind": "GatewayClass",
                    "metadata": {"name": name},
                    "spec": {"controllerName": controller},
                }
                _, stored = self._store.put(made)
                self._store.put_status(stored, _timed(class_status(), {}))

    def _mine(self, raw: Raw) -> bool:
        """What somebody else made is left alone."""
        held = self._store.get(*key_of(raw))
        return held is None or _managed(held)

    def _remove(self, kept: set[tuple[str, str, str]]) -> None:
        for kind in _MADE:
            for raw in self._store.list(kind):
                if _managed(raw) and key_of(raw) not in kept:
                    self._store.delete(*key_of(raw))


def _managed(raw: Raw) -> bool:
    return (raw["metadata"].get("labels") or {}).get(kube_gateway.MANAGED) == kube_gateway.MANAGER


def _timed(status: Raw, before: Raw) -> Raw:
    """``status`` with the time of each condition's last change, and with what other controllers wrote of routes."""
    now = timestamp()
    found = {**status}
    if "addresses" in status and not _programmed(status):
        # A Gateway that has been reached once keeps telling where, also while that does not work (row GA-19).
        found["addresses"] = status["addresses"] or before.get("addresses") or []
    if "conditions" in status:
        found["conditions"] = _conditions(status["conditions"], before.get("conditions") or [], now)
    if "listeners" in status:
        held = {entry.get("name"): entry.get("conditions") or [] for entry in before.get("listeners") or []}
        found["listeners"] = [
            {**entry, "conditions": _conditions(entry["conditions"], held.get(entry["name"], []), now)}
            for entry in status["listeners"]
        ]
    for name, reference in (("parents", "parentRef"), ("ancestors", "ancestorRef")):
        if name in status:
            found[name] = _entries(status[name], before.get(name) or [], reference, now)
    return found


def _programmed(status: Raw) -> bool:
    return any(entry["type"] == "Programmed" and entry["status"] == "True" for entry in status["conditions"])


def _entries(wanted: list[Raw], before: list[Raw], reference: str, now: str) -> list[Raw]:
    """Ours, each with the times that it had, behind those of other controllers."""
    others = [entry for entry in before if not str(entry.get("controllerName", "")).startswith("istio.io/")]
    found = []
    for entry in wanted:
        old: Raw = next((e for e in before if e not in others and e.get(reference) == entry[reference]), {})
        found.append({**entry, "conditions": _conditions(entry["conditions"], old.get("conditions") or [], now)})
    return [*others, *found]


def _conditions(wanted: list[Raw], before: list[Raw], now: str) -> list[Raw]:
    held = {entry.get("type"): entry for entry in before}
    found = []
    for entry in wanted:
        old = held.get(entry["type"], {})
        same = old.get("status") == entry["status"] and "lastTransitionTime" in old
        found.append({**entry, "lastTransitionTime": old["lastTransitionTime"] if same else now})
    return found
