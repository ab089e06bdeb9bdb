"""Control planes that fetch token keys from wherever a RequestAuthentication says (IST0175)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.estate import Estate
from mizzen.analyze.reading import blocks, text
from mizzen.model.finding import Finding

_VARIABLE = "BLOCKED_CIDRS_IN_JWKS_URIS"
_SHOWN = 5


def unrestricted_keys(estate: Estate) -> Iterator[Finding]:
    names = sorted(subject.full_name for subject in estate.of("RequestAuthentication"))
    if not names:
        return
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    shown = ", ".join(names[:_SHOWN]) + more
    for deployment in estate.of("Deployment"):
        if deployment.labels.get("app") != "istiod":
            continue
        containers = blocks(deployment.raw, "spec", "template", "spec", "containers")
        variables = [variable for container in containers for variable in blocks(container, "env")]
        if not any(text(variable, "name") == _VARIABLE and text(variable, "value") for variable in variables):
            yield deployment.finding("IST0175", count=len(names), names=shown)
