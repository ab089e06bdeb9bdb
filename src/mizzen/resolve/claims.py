"""Routes by the claims of a token at gateways that verify no token: there they never fit (IST0149, row VS-19)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from mizzen.api.meta import Object
from mizzen.api.virtual_service import HTTPMatchRequest
from mizzen.model.features import Features
from mizzen.model.finding import Finding, Level
from mizzen.model.service import Workload
from mizzen.resolve import problems
from mizzen.resolve.policies import in_force

PREFIX = "@request.auth.claims"
CODE = "IST0149"


def claim_findings(
    virtual_services: Iterable[Object],
    gateways: Iterable[Object],
    authentications: Iterable[Object],
    workloads: Mapping[str, Workload],
    root_namespace: str,
    features: Features,
) -> tuple[Finding, ...]:
    """One error for each object, claim and gateway pod without a RequestAuthentication in force."""
    routed = [(obj, used) for obj in virtual_services if (used := tuple(_used(obj)))]
    if not routed:
        return ()
    known = {f"{obj.namespace}/{obj.name}": obj for obj in gateways}
    tokens = tuple(authentications)

    def verified(pod: Workload) -> bool:
        return bool(in_force(tokens, pod.namespace, pod.labels, root_namespace, features))

    found: dict[tuple[str, str, str, str], Finding] = {}
    for obj, used in routed:
        for field, key, names in used:
            for name in names:
                for pod in _unverified(known.get(name), workloads.values(), verified):
                    text = (
                        f"The virtual service uses the JWT claim based routing (key: {key}) but found no request "
                        f"authentication for the gateway ({name}) pod ({pod.namespace}/{pod.name}). The request "
                        "authentication must first be applied for the gateway pods to validate the JWT token and make "
                        "the claims available for routing."
                    )
                    identity = (obj.namespace, obj.name, key, pod.address)
                    found.setdefault(identity, problems.about(obj, CODE, Level.ERROR, text, field))
    return tuple(found.values())


def _used(obj: Object) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Field, claim and gateways of each condition on a claim."""
    for i, route in enumerate(obj.body.http):
        for j, match in enumerate(route.match):
            for part, key in _claims(match):
                yield f"spec.http[{i}].match[{j}].{part}", key, match.gateways or obj.body.gateways


def _claims(match: HTTPMatchRequest) -> Iterator[tuple[str, str]]:
    for part, conditions in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
        yield from ((part, key) for key in conditions if key.startswith(PREFIX))


def _unverified(
    gateway: Object | None, workloads: Iterable[Workload], verified: Callable[[Workload], bool]
) -> Iterator[Workload]:
    if gateway is None:
        return
    for workload in workloads:
        selected = gateway.body.selector.items() <= workload.labels.items()
        if selected and not verified(workload):
            yield workload
