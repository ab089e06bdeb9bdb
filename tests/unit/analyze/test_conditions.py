from __future__ import annotations

import pytest

from mizzen.analyze.conditions import negative_conditions
from tests.unit.analyze.estates import Json, found, messages, obj

GATEWAY = "Gateway.gateway.networking.k8s.io"


def condition(name: str, status: str = "False", reason: str = "Why") -> Json:
    return {"type": name, "status": status, "reason": reason, "message": "said so"}


@pytest.mark.row("IM-46")
@pytest.mark.parametrize(("kind", "name"), [
    ("Service", "istio.io/WaypointBound"), ("ServiceEntry", "istio.io/WaypointBound"),
    ("WorkloadEntry", "istio.io/WaypointBound"), ("AuthorizationPolicy", "ZtunnelAccepted"),
    ("AuthorizationPolicy", "WaypointAccepted"), (GATEWAY, "Accepted"), (GATEWAY, "Programmed"),
    (GATEWAY, "ResolvedRefs"),
])  # fmt: skip
def test_a_condition_that_does_not_hold(kind: str, name: str) -> None:
    def codes(*conditions: Json) -> list[str]:
        return [
            code for code, _ in found(negative_conditions, obj(kind, "a", {}, status={"conditions": list(conditions)}))
        ]

    assert codes(condition(name)) == ["IST0171"]
    assert codes(condition(name, "True"), condition("Healthy")) == []


@pytest.mark.row("IM-46")
@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute"])
def test_routes_have_conditions_for_each_parent(kind: str) -> None:
    parents = [{"conditions": [condition("Accepted", "True")]}, {"conditions": [condition("ResolvedRefs")]}]
    route = obj(kind, "a", {}, status={"parents": parents})
    assert messages(negative_conditions, route) == ["the condition ResolvedRefs does not hold: Why: said so"]


@pytest.mark.row("IM-46")
def test_a_waypoint_that_takes_a_policy_in_part() -> None:
    partly = condition("WaypointAccepted", "True", "PartiallyInvalid")
    policy = obj("AuthorizationPolicy", "a", {}, status={"conditions": [partly]})
    assert found(negative_conditions, policy) == [("IST0171", "AuthorizationPolicy default/a")]
    other = condition("ZtunnelAccepted", "True", "PartiallyInvalid")
    assert found(negative_conditions, obj("AuthorizationPolicy", "a", {}, status={"conditions": [other]})) == []


@pytest.mark.row("IM-46")
def test_istios_gateway_is_not_read() -> None:
    gateway = obj("Gateway", "a", {}, status={"conditions": [condition("Accepted")]})
    assert found(negative_conditions, gateway) == []
