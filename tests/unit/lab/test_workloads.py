"""ReplicaSets, pods and rolling updates as pure rules."""

from typing import Any

import pytest

from mizzen.lab import workloads
from mizzen.lab.workloads import Group

Raw = dict[str, Any]


def deployment(replicas: int = 1, **spec: Any) -> Raw:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "uid": "u"},
        "spec": {"replicas": replicas, "template": template, **spec},
    }


def test_a_replica_set_is_named_by_the_template_alone() -> None:
    one, two = workloads.replica_set(deployment(1)), workloads.replica_set(deployment(5))
    assert one["metadata"]["name"] == two["metadata"]["name"]
    assert one["metadata"]["labels"]["pod-template-hash"] in one["metadata"]["name"]


def test_pods_of_a_stateful_set_have_a_stable_name_and_no_generate_name() -> None:
    owner = {**deployment(), "kind": "StatefulSet"}
    owner["spec"]["serviceName"] = "peers"
    pod = workloads.pod(owner, "web-0", generated=False)
    assert "generateName" not in pod["metadata"]
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-0", "peers")


@pytest.mark.parametrize("total", [1, 2, 3, 4, 10])
def test_a_rolling_update_ends_and_never_has_too_few_or_too_many(total: int) -> None:
    raw = deployment(total)
    surge, unavailable = workloads.limits({}, total)
    new, old = Group("new", 0, 0, 0), Group("old", total, total, total)
    for _ in range(50):
        plan = workloads.rollout(raw, new, [old])
        old = Group("old", plan["old"], plan["old"], plan["old"])
        assert plan["new"] + plan["old"] <= total + surge
        assert new.ready + old.ready >= total - unavailable
        new = Group("new", plan["new"], plan["new"], plan["new"])
        if (new.wanted, old.wanted) == (total, 0):
            return
    pytest.fail("the update never ended")


def test_a_new_version_that_does_not_start_leaves_the_old_one_serving() -> None:
    plan = workloads.rollout(deployment(1), Group("new", 1, 1, 0), [Group("old", 1, 1, 1)])
    assert plan == {"new": 1, "old": 1}


def test_recreate_waits_for_the_old_pods_to_be_gone() -> None:
    raw = deployment(2, strategy={"type": "Recreate"})
    assert workloads.rollout(raw, Group("new", 0, 0, 0), [Group("old", 2, 2, 2)]) == {"old": 0, "new": 0}
    assert workloads.rollout(raw, Group("new", 0, 0, 0), [Group("old", 0, 0, 0)]) == {"old": 0, "new": 2}
