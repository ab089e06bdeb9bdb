"""Injection of one pod: decide, render the templates, put the user's own parts over them, rewrite probes and scraping."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

from msgspec import Struct

from mizzen.inject.decision import decide
from mizzen.inject.facts import INIT, PROXY, VALIDATION, Facts
from mizzen.inject.gateway import gateway
from mizzen.inject.merge import Json, merge
from mizzen.inject.owner import Owner, owner_of
from mizzen.inject.path import NETWORK as NETWORK_VARIABLE
from mizzen.inject.probes import encode, rewrite
from mizzen.inject.prometheus import merged
from mizzen.inject.proxy_config import ANNOTATION as PROXY_CONFIG
from mizzen.inject.proxy_config import effective, patches
from mizzen.inject.settings import InjectNamespace, InjectSettings
from mizzen.inject.sidecar import sidecar
from mizzen.inject.status import OVERRIDES, STATUS, overrides, status, stripped
from mizzen.model.annotations import BOOLEANS, SIDECAR, problems
from mizzen.model.finding import Finding, Level

TEMPLATES: dict[str, Callable[[Facts], Json]] = {"sidecar": sidecar, "gateway": gateway}
TEMPLATE_CHOICE = "inject.istio.io/templates"
BAD_ANNOTATION, UNKNOWN_TEMPLATE, UNKNOWN_FIELD, UNDECIDED = "IST0125", "MZ0302", "MZ0303", "MZ0304"


class Injected(Struct, frozen=True, kw_only=True):
    """``pod`` is patched when ``injected``, else as it came. With ``errors`` the pod must be refused."""

    pod: Json
    injected: bool
    reason: str
    warnings: tuple[Finding, ...] = ()
    errors: tuple[Finding, ...] = ()


def inject(pod: Json, namespace: InjectNamespace, settings: InjectSettings) -> Injected:
    """The pod as the API server would store it after the webhook; pure, and injecting twice equals injecting once."""
    decision = decide(pod, namespace, settings)
    warnings = (_finding(pod, namespace.name, UNDECIDED, Level.WARNING, decision.warning),) if decision.warning else ()
    if not decision.inject:
        return Injected(pod=pod, injected=False, reason=decision.reason, warnings=warnings)
    done = render(pod, namespace.name, owner_of(pod), settings)
    return Injected(
        pod=done.pod,
        injected=done.injected,
        reason=decision.reason if done.injected else done.reason,
        warnings=warnings + done.warnings,
        errors=done.errors,
    )


def render(pod: Json, namespace: str, owner: Owner, settings: InjectSettings) -> Injected:
    """Inject without asking whether: what both the webhook and ``kube-inject`` do once they have decided."""
    pod, kept = stripped(copy.deepcopy(pod))
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    bad = [(BAD_ANNOTATION, name, text) for name, text in problems(annotations)]
    config: Json = {}
    unknown: list[str] = []
    try:
        labels = (pod.get("metadata") or {}).get("labels") or {}
        wide, own = patches(settings.proxy_configs, namespace, labels, settings.mesh.root_namespace)
        config, unknown = effective(settings.mesh.default_config, annotations.get(PROXY_CONFIG), wide, own)
    except ValueError as error:
        bad.append((BAD_ANNOTATION, PROXY_CONFIG, str(error)))
    chosen = annotations.get(TEMPLATE_CHOICE)
    names = [n.strip() for n in chosen.split(",") if n.strip()] if chosen else list(settings.default_templates)
    bad += [
        (UNKNOWN_TEMPLATE, TEMPLATE_CHOICE, f"there is no template {name!r}; there are {', '.join(sorted(TEMPLATES))}")
        for name in names
        if name not in TEMPLATES
    ]
    warnings = tuple(
        _finding(pod, namespace, UNKNOWN_FIELD, Level.WARNING, f"unknown field {name!r} of ProxyConfig", PROXY_CONFIG)
        for name in unknown
    )
    if bad:
        errors = tuple(_finding(pod, namespace, code, Level.ERROR, f"{name}: {text}", name) for code, name, text in bad)
        return Injected(pod=pod, injected=False, reason="the pod is refused", warnings=warnings, errors=errors)
    facts = Facts(
        pod=pod, namespace=namespace, owner=owner, settings=settings, config=config, user_proxy=_user_proxy(pod)
    )
    try:
        patched = _patched(facts, names, kept)
    except ValueError as error:
        errors = (_finding(pod, namespace, BAD_ANNOTATION, Level.ERROR, str(error)),)
        return Injected(pod=pod, injected=False, reason="the pod is refused", warnings=warnings, errors=errors)
    return Injected(pod=patched, injected=True, reason="", warnings=warnings)


def _patched(facts: Facts, names: list[str], kept: dict[str, str]) -> Json:
    template: Json = {}
    for name in names:
        template = merge(template, TEMPLATES[name](facts))
    if facts.settings.image_pull_secrets:
        template["spec"]["imagePullSecrets"] = [{"name": name} for name in facts.settings.image_pull_secrets]
    pod, own = _without(facts.pod, template)
    added = _over_template(template, own, facts)
    spec = merge(pod.get("spec") or {}, added["spec"])
    for name in ("volumes", "imagePullSecrets"):
        _rank(spec, name, {item["name"]: at - 1000 for at, item in enumerate(added["spec"].get(name) or [])})
    metadata = dict(pod.get("metadata") or {})
    metadata["labels"] = {**facts.labels, **added["metadata"].get("labels", {})}
    metadata["annotations"] = {**facts.annotations, **added["metadata"].get("annotations", {})}
    metadata["annotations"] |= _marks(facts, template, own)
    pod = {**pod, "metadata": metadata, "spec": spec}
    return _ordered(_rewritten(pod, facts, kept), facts)


def _without(pod: Json, template: Json) -> tuple[Json, dict[str, list[Json]]]:
    """The pod without the containers that the template also has, and these, by the list where the template has them."""
    spec, own = dict(pod.get("spec") or {}), {}
    for name in ("initContainers", "containers"):
        wanted = {c["name"] for c in template["spec"].get(name) or []}
        found = [c for key in ("initContainers", "containers") for c in spec.get(key) or [] if c.get("name") in wanted]
        own[name] = [{k: v for k, v in c.items() if (k, v) != ("image", "auto")} for c in found]
        for key in ("initContainers", "containers"):
            if key in spec:
                spec[key] = [c for c in spec[key] or [] if c.get("name") not in wanted]
    return {**pod, "spec": spec}, own


def _over_template(template: Json, own: dict[str, list[Json]], facts: Facts) -> Json:
    spec = dict(template["spec"])
    for name, containers in own.items():
        if containers:
            spec[name] = merge(spec[name], containers, name)
    if facts.interception == "TPROXY":
        # Only root may open transparent sockets, whatever the user's container says.
        for name in ("initContainers", "containers"):
            spec[name] = [_as_root(c) if c["name"] == PROXY else c for c in spec.get(name) or []]
    return {**template, "spec": {name: value for name, value in spec.items() if value}}


def _as_root(container: Json) -> Json:
    return {**container, "securityContext": {**container["securityContext"], "runAsUser": 0}}


def _marks(facts: Facts, template: Json, own: dict[str, list[Json]]) -> dict[str, str]:
    """The annotations of row IP-07."""
    settings = facts.settings
    marks = {"istio.io/rev": settings.revision or "default", STATUS: status(template, settings.revision or "default")}
    apps = facts.app_containers
    for name in ("kubectl.kubernetes.io/default-container", "kubectl.kubernetes.io/default-logs-container"):
        if apps and name not in facts.annotations:
            marks[name] = str(apps[0].get("name", ""))
    if any(own.values()):
        marks[OVERRIDES] = overrides(own)
    if port := facts.metadata_env.get("ENVOY_SECURE_MERGED_METRICS_PORT"):
        marks["prometheus.istio.io/secure-port"] = port
    return marks


def _rewritten(pod: Json, facts: Facts, kept: dict[str, str]) -> Json:
    spec, metadata, env = dict(pod["spec"]), dict(pod["metadata"]), []
    metadata["annotations"], scrape = merged(metadata["annotations"], facts.settings, facts.metrics_port)
    if scrape := scrape or kept.get("ISTIO_PROMETHEUS_ANNOTATIONS"):
        env.append({"name": "ISTIO_PROMETHEUS_ANNOTATIONS", "value": scrape})
    text = metadata["annotations"].get(SIDECAR + "rewriteAppHTTPProbers")
    asked: Json = {}
    if facts.status_port and (BOOLEANS[text] if text is not None else facts.settings.rewrite_probes):
        for name in ("containers", "initContainers"):
            if spec.get(name):
                spec[name], found = rewrite(spec[name], facts.status_port)
                asked |= found
    if probers := _probers(asked, kept):
        env.append({"name": "ISTIO_KUBE_APP_PROBERS", "value": probers})
    for name in ("containers", "initContainers"):
        if spec.get(name):
            spec[name] = [merge(c, {"env": env}) if env and c.get("name") == PROXY else c for c in spec[name]]
            spec[name] = [_with_environment(c, facts) if c.get("name") == PROXY else c for c in spec[name]]
    return {**pod, "metadata": metadata, "spec": spec}


def _with_environment(container: Json, facts: Facts) -> Json:
    """The proxy's container with the variables that come with the webhook's path (row IJ-06)."""
    given = facts.settings.environment
    if not given:
        return container
    # A network that the user chose by label goes over the one of the path.
    given = {name: facts.network if name == NETWORK_VARIABLE else value for name, value in given.items()}
    kept = [item for item in container.get("env") or [] if item.get("name") not in given]
    return {**container, "env": kept + [{"name": name, "value": given[name]} for name in sorted(given)]}


def _probers(asked: Json, kept: dict[str, str]) -> str:
    before = kept.get("ISTIO_KUBE_APP_PROBERS", "")
    try:
        old = json.loads(before) if before else {}
    except ValueError:
        old = {}
    both = {**(old if isinstance(old, dict) else {}), **asked}
    return encode(both) if both else ""


def _ordered(pod: Json, facts: Facts) -> Json:
    """Row IP-10."""
    spec = dict(pod["spec"])
    native = facts.native and any(c.get("name") == PROXY for c in spec.get("initContainers") or [])
    _rank(spec, "initContainers", {INIT: -3, VALIDATION: -3, PROXY: -2} if native else {VALIDATION: -3, INIT: 3})
    _rank(spec, "containers", {PROXY: -1 if facts.hold else 1})
    spec.setdefault("containers", [])
    return {**pod, "spec": spec}


def _rank(spec: Json, name: str, ranks: dict[str, int]) -> None:
    """Sort a list of named things by rank (0 for the unnamed), and leave an empty one out."""
    if spec.get(name):
        spec[name] = sorted(spec[name], key=lambda item: ranks.get(item.get("name"), 0))
    else:
        spec.pop(name, None)


def _user_proxy(pod: Json) -> Json:
    spec = pod.get("spec") or {}
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return next((c for c in containers if c.get("name") == PROXY), {})


def _finding(pod: Json, namespace: str, code: str, level: Level, message: str, field: str = "") -> Finding:
    metadata = pod.get("metadata") or {}
    name = metadata.get("name") or metadata.get("generateName") or ""
    path = f"metadata.annotations[{field}]" if field else ""
    return Finding(code=code, level=level, message=message, kind="Pod", namespace=namespace, name=name, field=path)
