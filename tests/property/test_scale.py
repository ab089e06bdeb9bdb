"""A change to one VirtualService among many touches what it is about and nothing else."""

from __future__ import annotations

import pytest

from benchmarks.translate import run

pytestmark = pytest.mark.property


def test_one_virtual_service_touches_its_own_virtual_hosts() -> None:
    found = run(40)
    for kind, route in (("sidecar", "80"), ("router", "http.80")):
        assert found[f"{kind}, touched"] == [
            f"RDS {route} s20.example.com:80",
            f"RDS {route} s20.load.svc.cluster.local:80",
        ]
