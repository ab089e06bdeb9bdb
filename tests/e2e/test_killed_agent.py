"""An agent that is killed takes its Envoy along, so that the next one finds its ports free."""

import os
import signal

import pytest

from tests.e2e.mesh import HTTPBIN, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab


def test_a_killed_agent_comes_back_with_an_envoy_of_its_own(mesh: Mesh) -> None:
    before = mesh.pod("curl")
    os.kill(before["pids"]["agent"], signal.SIGKILL)
    after = eventually(
        lambda: mesh.pod("curl"),
        lambda pod: pod["ready"] and pod["pids"]["agent"] != before["pids"]["agent"],
        seconds=20,
    )
    assert after["restarts"] == before["restarts"] + 1
    assert after["pids"]["envoy"] != before["pids"]["envoy"]
    eventually(lambda: mesh.curl(HTTPBIN).code, lambda code: code == 200)
