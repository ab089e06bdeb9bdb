"""How fast certificates are signed; the measurement is ``benchmarks/signing.py``."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_thousand_certificates_take_less_than_five_seconds_of_one_core() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks.signing"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
