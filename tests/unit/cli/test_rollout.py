from __future__ import annotations

from mizzen.cli.rollout import RESTARTED_AT
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, deployment


def test_restart_changes_the_template(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(deployment("reviews"))
    assert mizzen("rollout", "restart", "deploy/reviews") == (0, "deployment.apps/reviews restarted\n", "")
    template = mesh.objects[("Deployment", "default", "reviews")]["spec"]["template"]
    assert template["metadata"]["labels"] == {"app": "reviews"}
    assert template["metadata"]["annotations"][RESTARTED_AT]


def test_status_waits(mesh: FakeMesh, mizzen: Mizzen) -> None:
    assert (
        mizzen("rollout", "status", "deploy/reviews", "--timeout", "1s").out
        == 'deployment "reviews" successfully rolled out\n'
    )
    mesh.rollout = {"done": False, "message": "0 of 1"}
    result = mizzen("rollout", "status", "deploy/reviews", "--timeout", "1s", "-n", "shop")
    assert (result.code, result.out) == (4, "")
    assert "0 of 1" in result.err
    assert mesh.requests[-1][2] == {"kind": "Deployment", "namespace": "shop", "name": "reviews", "timeout": "1.0"}
