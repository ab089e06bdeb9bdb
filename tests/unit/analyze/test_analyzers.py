from __future__ import annotations

import pytest

from mizzen.analyze.analyzers import ANALYZERS
from mizzen.api.kinds import KINDS


@pytest.mark.row("IA-04")
def test_names_and_what_is_read() -> None:
    assert list(ANALYZERS) == sorted(ANALYZERS)
    parts = {"MeshConfig", "MeshNetworks"}
    for analyzer in ANALYZERS.values():
        assert analyzer.about
        assert set(analyzer.reads) <= set(KINDS) | parts
