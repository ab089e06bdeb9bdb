from __future__ import annotations

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, deployment


def test_replicas_are_patched(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(deployment("reviews"))
    assert mizzen("scale", "deploy/reviews", "--replicas", "3") == (0, "deployment.apps/reviews scaled\n", "")
    assert mesh.objects[("Deployment", "default", "reviews")]["spec"]["replicas"] == 3
    assert mizzen("scale", "deploy", "reviews", "--replicas=0").code == 0


def test_wait_waits_for_the_rollout(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(deployment("reviews"))
    mesh.rollout = {"done": False, "message": "1 of 3 pods are ready"}
    result = mizzen("scale", "deploy/reviews", "--replicas", "3", "--wait", "--timeout", "1s")
    assert result.code == 4
    assert "deployment.apps/reviews: 1 of 3 pods are ready" in result.err


def test_what_cannot_be_scaled(mesh: FakeMesh, mizzen: Mizzen) -> None:
    assert mizzen("scale", "svc/reviews", "--replicas", "3").code == 2
    assert mizzen("scale", "deploy/reviews", "--replicas", "-1").code == 2
    assert mizzen("scale", "deploy/ghost", "--replicas", "1").code == 1
