"""The entries of workloads that register themselves, as documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.check import validate
from mizzen.model.service import Locality
from mizzen.resolve import registration as made
from mizzen.resolve.registration import Registrant

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


def group(**spec: Any) -> Object:
    raw = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadGroup",
        "metadata": {"name": "db", "namespace": "vms", "uid": "g1"},
        "spec": {"template": {}, **spec},
    }
    found = decode(raw).object
    assert found is not None
    return found


def who(**changes: Any) -> Registrant:
    return Registrant(**{"group": "db", "namespace": "vms", "address": "10.0.0.9", **changes})


@pytest.mark.row("WE-06", "VM-03")
def test_the_entry_of_a_workload_by_its_group() -> None:
    spec = {
        "metadata": {"labels": {"app": "db", "tier": "group"}, "annotations": {"team": "x"}},
        "template": {
            "ports": {"sql": 5432},
            "labels": {"tier": "template", "own": "template"},
            "serviceAccount": "db",
            "weight": 3,
            "network": "n1",
            "locality": "r0",
        },
    }
    registrant = who(labels={"own": "node", "istio-locality": "x.y"}, locality=Locality("r", "z", ""), probed=True)
    entry = made.entry_of(group(**spec), registrant)
    labels = {"app": "db", "tier": "group", "own": "node"}
    assert entry["metadata"] == {
        "name": "db-10.0.0.9",
        "namespace": "vms",
        "labels": labels,
        "annotations": {
            "istio.io/autoRegistrationGroup": "db",
            "team": "x",
            "proxy.istio.io/health-checks-enabled": "true",
        },
        "ownerReferences": [
            {
                "apiVersion": "networking.istio.io/v1",
                "kind": "WorkloadGroup",
                "name": "db",
                "uid": "g1",
                "controller": True,
            }
        ],
    }
    assert entry["spec"] == {
        "address": "10.0.0.9",
        "ports": {"sql": 5432},
        "labels": labels,
        "network": "n1",
        "locality": "r/z",
        "weight": 3,
        "serviceAccount": "db",
    }
    decoded = decode(entry)
    assert decoded.object is not None
    assert not decoded.problems
    assert not validate(decoded.object)


@pytest.mark.row("VM-03")
def test_network_and_locality_come_from_the_node_before_the_template() -> None:
    template = {"network": "n1", "locality": "r0/z0"}
    spec = made.entry_of(group(template=template), who(network="n2"))["spec"]
    assert (spec["network"], spec["locality"]) == ("n2", "r0/z0")
    spec = made.entry_of(group(template=template), who(labels={"istio-locality": "r1.z1"}))["spec"]
    assert spec["locality"] == "r1/z1"
    assert "labels" not in spec


@pytest.mark.row("VM-03")
def test_names() -> None:
    assert made.entry_name("db", "10.0.0.9") == "db-10.0.0.9"
    assert made.entry_name("db", "2001:db8::1", "n1") == "db-2001-db8--1-n1"
    assert made.entry_name("x" * 300, "10.0.0.9") == "x" * 244 + "-10.0.0.9"
    assert made.entry_name("a" + "-" * 300, "10.0.0.9") == "10.0.0.9"
    assert [made.is_name(name) for name in ("db-10.0.0.9", "a/b", "../a", "A", "", "a b", "a-")] == [True] + 6 * [False]


def entry(annotations: dict[str, str], *conditions: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"annotations": annotations}, "status": {"conditions": list(conditions)}}


@pytest.mark.row("VM-03")
def test_who_holds_an_entry() -> None:
    later, earlier = made.moment(NOW + timedelta(microseconds=1)), made.moment(NOW)
    held = entry(made.claimed("istiod-1", earlier)["metadata"]["annotations"])
    assert made.held_by(held, "istiod-1", earlier)
    assert made.held_by(held, "istiod-1", later)
    assert not made.held_by(held, "istiod-2", later)
    newer = entry({made.CONTROLLER: "istiod-1", made.CONNECTED: later})
    assert not made.held_by(newer, "istiod-1", earlier)


@pytest.mark.row("VM-03")
def test_when_an_entry_is_forgotten() -> None:
    grace, longest = timedelta(seconds=10), timedelta(minutes=45)

    def gone(annotations: dict[str, str], seconds: float) -> bool:
        return made.forgotten(entry(annotations), NOW + timedelta(seconds=seconds), grace, longest)

    at = made.moment(NOW)
    assert not gone({made.DISCONNECTED: at}, 9)
    assert gone({made.DISCONNECTED: at}, 10)
    assert not gone({made.CONNECTED: at}, 44 * 60)
    assert gone({made.CONNECTED: at}, 45 * 60)
    assert not gone({}, 10**6)


@pytest.mark.row("VM-04")
def test_a_condition_changes_only_when_it_says_something_else() -> None:
    at = made.moment(NOW)
    other = {"type": "Other", "status": "True"}
    first = made.judged(entry({}, other), False, "refused", at)
    assert first is not None
    bad = {"type": "Healthy", "status": "False", "message": "refused", "lastProbeTime": at, "lastTransitionTime": at}
    assert first["status"]["conditions"] == [other, bad]
    assert made.judged(entry({}, bad), False, "refused", "later") is None
    assert made.judged(entry({}, bad), False, "timeout", "later") is not None
    good = made.judged(entry({}, bad), True, "", at)
    assert good is not None
    assert good["status"]["conditions"] == [
        {"type": "Healthy", "status": "True", "lastProbeTime": at, "lastTransitionTime": at}
    ]
    assert made.unjudged(entry({}, other, bad)) == {"status": {"conditions": [other]}}
    assert made.unjudged(entry({}, other)) is None
