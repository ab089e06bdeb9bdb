"""How long ``mizzen --help`` takes: the best and the median of twenty runs, in milliseconds (limit: 150)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time


def once() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "mizzen", "--help"], check=True, capture_output=True)
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    runs = [once() for _ in range(20)]
    print(f"mizzen --help: best {min(runs):.0f} ms, median {statistics.median(runs):.0f} ms")
    sys.exit(statistics.median(runs) > 150)
