from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from mizzen.lab import view

Json = dict[str, Any]
READY = [{"type": "Ready", "status": "True"}]


def supervisor(*objects: Json, ready: bool = True) -> Any:
    """The part of a supervisor that is looked at here."""
    store = SimpleNamespace(list=lambda kind: [o for o in objects if o["kind"] == kind])
    return cast(Any, SimpleNamespace(store=store, controlplane=SimpleNamespace(ready=ready)))


def pod(name: str, **status: Any) -> Json:
    return {"kind": "Pod", "metadata": {"namespace": "shop", "name": name}, "spec": {}, "status": status}


def deployment(generation: int = 1, wanted: int = 1, **status: int) -> Json:
    return {
        "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web", "generation": generation},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": 1, **status},
    }


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"message": "no such image"}, "no such image"),
        ({"containerStatuses": [{"name": "c", "ready": False}]}, "waiting for c"),
        ({}, "starting"),
        (
            {
                "containerStatuses": [
                    {
                        "name": "c",
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 3, "message": "bad flag"}},
                    }
                ]
            },
            "c: CrashLoopBackOff exit code 3: bad flag",
        ),
    ],
)
def test_why_a_pod_is_not_ready(status: Json, text: str) -> None:
    assert view.reason(pod("x", **status)) == text


@pytest.mark.parametrize(
    ("raw", "done", "text"),
    [
        (deployment(generation=2), False, "not looked at yet"),
        (deployment(wanted=2, updatedReplicas=1), False, "1 of 2 pods updated"),
        (deployment(updatedReplicas=1, replicas=3), False, "2 old pods still end"),
        (deployment(updatedReplicas=1, readyReplicas=0), False, "0 of 1 pods ready"),
        (deployment(updatedReplicas=1, readyReplicas=1), True, "1 of 1 pods ready"),
    ],
)
def test_a_rollout_is_done_when_what_is_written_now_is_all_that_runs(raw: Json, done: bool, text: str) -> None:
    assert view.rollout(raw) == (done, text)


def test_everything_that_is_not_ready_is_named() -> None:
    job = {**pod("job"), "metadata": {"namespace": "shop", "name": "job", "ownerReferences": [{"kind": "Job"}]}}
    going = {**pod("going"), "metadata": {"namespace": "shop", "name": "going", "deletionTimestamp": "now"}}
    mesh = supervisor(
        pod("good", conditions=READY), pod("bad"), pod("done", phase="Succeeded"), job, going, deployment(), ready=False
    )
    assert view.waiting(mesh) == [
        "control plane: not ready",
        "deployment shop/web: 0 of 1 pods updated",
        "pod shop/bad: starting",
    ]
    assert view.waiting(supervisor(pod("good", conditions=READY))) == []


def test_only_pods_that_cannot_start_as_they_are_written_are_stuck() -> None:
    never = pod("never", reason="CreateContainerError")
    assert view.stuck(supervisor(never, pod("good", conditions=READY), pod("done", phase="Succeeded")))
    assert not view.stuck(supervisor(never, pod("slow")))
    assert not view.stuck(supervisor(never, ready=False))
    assert not view.stuck(supervisor(pod("good", conditions=READY)))
