"""Which clusters are read, and with what success."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh

CLUSTERS = [
    {"id": "a", "secretName": "", "syncStatus": "synced"},
    {"id": "b", "secretName": "istio-remote-secret-b", "syncStatus": "timeout"},
]


@pytest.mark.row("IX-22", "MCL-01")
def test_columns(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.clusterz = CLUSTERS
    for name, labels in (("istiod-x", {"istio": "pilot", "istio.io/rev": "canary"}), ("other", {})):
        mesh.put({"kind": "Pod", "metadata": {"name": name, "namespace": "istio-system", "labels": labels}})
    head, own, other = mizzen("remote-clusters").out.splitlines()
    assert head.split() == ["NAME", "SECRET", "STATUS", "ISTIOD", "REVISION"]
    assert own.split() == ["a", "synced", "istiod-x", "canary"]
    assert other.split() == ["b", "istio-system/istio-remote-secret-b", "timeout", "istiod-x", "canary"]
    assert json.loads(mizzen("remote-clusters", "-o", "json").out) == CLUSTERS
