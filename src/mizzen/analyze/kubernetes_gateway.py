"""The Gateway API: definitions that are too old, and selectors on its gateways' pods (IST0166, IST0176)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mizzen.analyze.estate import Estate
from mizzen.model.finding import Finding

_POLICIES = ("AuthorizationPolicy", "RequestAuthentication", "Telemetry", "WasmPlugin")
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
_BUNDLE = "gateway.networking.k8s.io/bundle-version"
_GROUP = "gateway.networking.k8s.io"
_MINIMUM = {
    f"grpcroutes.{_GROUP}": "1.1.0",
    f"backendtlspolicies.{_GROUP}": "1.4.0",
    f"tlsroutes.{_GROUP}": "1.5.0",
    f"tcproutes.{_GROUP}": "1.6.0",
}
_SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+][0-9A-Za-z.+-]*)?")


def ineffective_selectors(estate: Estate) -> Iterator[Finding]:
    for kind in _POLICIES:
        for policy in estate.decoded(kind):
            body = policy.body
            if body.selector is None or body.target_ref is not None:
                continue
            pods = estate.pods_with(body.selector.match_labels, policy.namespace)
            names = [pod.labels.get(_GATEWAY_NAME) for pod in pods]
            for name in dict.fromkeys(filter(None, names)):
                yield policy.finding("IST0166", gateway=name)


def old_definitions(estate: Estate) -> Iterator[Finding]:
    for definition in estate.of("CustomResourceDefinition"):
        minimum = _MINIMUM.get(definition.name)
        installed = definition.annotations.get(_BUNDLE, "")
        if minimum is None or not (found := _SEMVER.fullmatch(installed)):
            continue
        if tuple(map(int, found.groups())) < tuple(map(int, minimum.split("."))):
            yield definition.finding("IST0176", crd=definition.name, installed=installed, minimum=minimum)
