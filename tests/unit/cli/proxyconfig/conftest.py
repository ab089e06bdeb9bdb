"""A pod of the fake mesh whose Envoy answers with a small config dump."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.unit.cli.fake_mesh import FakeMesh, pod
from tests.unit.cli.proxyconfig.dumps import DUMP, STATUSES


@pytest.fixture
def proxy(mesh: FakeMesh) -> FakeMesh:
    mesh.put(pod("p"))
    dump = json.dumps(DUMP).encode()
    mesh.envoy = {
        "/config_dump": dump,
        "/config_dump?include_eds": dump,
        "/clusters?format=json": json.dumps(STATUSES).encode(),
    }
    return mesh


@pytest.fixture
def cells() -> Callable[[str], list[list[str]]]:
    """A printed table as the texts of its cells."""
    return lambda text: [re.split(r" {2,}", line) for line in text.splitlines()]
