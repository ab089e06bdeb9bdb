from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.application_user import application_users
from tests.unit.analyze.estates import found, obj

USER = {"securityContext": {"runAsUser": 1337}}


@pytest.mark.row("IM-29", "IP-19")
@pytest.mark.parametrize(("spec", "told"), [
    ({**USER, "containers": [{"name": "a"}]}, True),
    ({"containers": [{"name": "a", **USER}]}, True),
    ({"containers": [{"name": "a"}, {"name": "b", **USER}]}, True),
    ({"containers": [{"name": "istio-proxy", **USER}, {"name": "a"}]}, False),
    ({"containers": [{"name": "istio-operator", **USER}]}, False),
    ({"containers": [{"name": "a"}], "initContainers": [{"name": "i", **USER}]}, False),
    ({"containers": [{"name": "a", "securityContext": {"runAsUser": 1338}}]}, False),
])  # fmt: skip
def test_the_user_of_the_sidecar(spec: dict[str, Any], told: bool) -> None:
    assert found(application_users, obj("Pod", "a", spec)) == ([("IST0144", "Pod default/a")] if told else [])
    deployment = obj("Deployment", "a", {"template": {"spec": spec}})
    assert found(application_users, deployment) == ([("IST0144", "Deployment default/a")] if told else [])


@pytest.mark.row("IM-29")
def test_istios_own_pods() -> None:
    for labels in ({"istio": "ingressgateway"}, {"release": "istio"}):
        assert found(application_users, obj("Pod", "a", USER, labels=labels)) == []
