"""Certificates that live ten seconds: nothing is lost and nothing grows. The full size is ``benchmarks/rotation.py``."""

import subprocess
import sys

import pytest

from tests.e2e.mesh import ROOT

pytestmark = pytest.mark.lab


@pytest.mark.row("CW-03")
def test_certificates_rotate_under_load_without_a_failed_request_or_growth(machine: None) -> None:
    command = [sys.executable, "-m", "benchmarks.rotation", "--proxies", "8", "--lifetime", "10", "--seconds", "40"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
