"""The tour as a person runs it: unattended, from a checkout that only root may enter, and every line of it true."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.mesh import Mesh

pytestmark = pytest.mark.lab


def test_every_line_of_the_tour_is_true_and_its_mesh_is_left_running(
    new_mesh: Callable[[], Mesh], closed: Path
) -> None:
    mesh = new_mesh()
    environment = {**mesh.environment, "PYTHONPATH": str(closed / "src"), "MIZZEN_DEMO": mesh.name}
    script = str(closed / "packaging" / "demo.sh")
    done = subprocess.run(
        ["bash", script], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"^(\d+) of (\d+) lines true", done.stdout, re.MULTILINE)
    assert told is not None, done.stdout
    assert told.group(1) == told.group(2)
    assert int(told.group(2)) == done.stdout.count("✓") >= 15
    status = json.loads(mesh.run("ps", "-o", "json").out)
    assert {pod["phase"] for pod in status["pods"]} == {"Running"}
    assert mesh.exec("curl", "id", "-u").out.strip() != "0", "a user who could not read the checkout"
    shown = mesh.exec("httpbin", "/opt/mizzen/bin/mizzen-python", "-c", "import mizzen; print(mizzen.__file__)").out
    assert shown.startswith("/opt/mizzen/"), shown
    mesh.down()
