from __future__ import annotations

import json
from pathlib import Path

from mizzen.cli.failure import Exit
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh
from tests.unit.cli.proxyconfig.dumps import DUMP


def test_a_saved_dump(mizzen: Mizzen, tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_text(json.dumps(DUMP))
    assert "BlackHoleCluster" in mizzen("pc", "clusters", "-f", str(tmp_path / "dump.json")).out
    result = mizzen("pc", "endpoints", "-f", str(tmp_path / "dump.json"))
    assert result.code == 1
    assert "no answer of /clusters" in result.err
    assert mizzen("pc", "clusters").code == 2


def test_a_saved_dump_and_a_name_exclude_each_other(proxy: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_text(json.dumps(DUMP))
    assert mizzen("pc", "clusters", "p", "-f", str(tmp_path / "dump.json")).code == Exit.USAGE


def test_endpoints_are_asked_for_with_the_dump_only_where_they_are_shown(proxy: FakeMesh, mizzen: Mizzen) -> None:
    mizzen("pc", "clusters", "p")
    mizzen("pc", "all", "p", "-o", "json")
    asked = [body["path"] for method, path, body in proxy.requests if path == "/v1/envoy"]
    assert asked == ["/config_dump", "/config_dump?include_eds"]
