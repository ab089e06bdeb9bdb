from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mizzen.lab.controlplane import ControlPlane


@pytest.fixture
def plane(tmp_path: Path) -> ControlPlane:
    network = cast(Any, SimpleNamespace(subnets=SimpleNamespace(node="10.77.0.2"), namespace="/run/netns/x"))
    return ControlPlane("demo", tmp_path, cast(Any, None), network, None, {"controlPlane": {"env": {"A": 1}}})


def test_it_is_shown_as_a_pod_in_the_nodes_network(plane: ControlPlane) -> None:
    pod = plane.pod("node-1")
    assert pod["metadata"]["namespace"] == "istio-system"
    assert pod["metadata"]["name"].startswith("istiod-")
    assert pod["spec"]["hostNetwork"] is True
    assert pod["metadata"]["labels"]["istio"] == "pilot"


def test_its_status_says_that_it_is_down_until_it_answers(plane: ControlPlane) -> None:
    status = plane.status()
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "CrashLoopBackOff"}}
    assert {condition["status"] for condition in status["conditions"]} == {"False"}
    plane.ready = True
    assert {condition["status"] for condition in plane.status()["conditions"]} == {"True"}
    assert status["podIP"] == "10.77.0.2"


def test_plain_text_is_served_on_loopback_only(plane: ControlPlane) -> None:
    assert [address for address in plane.addresses if address.endswith(":15010")] == ["127.0.0.1:15010"]
    assert plane.command()[3] == "controlplane"
