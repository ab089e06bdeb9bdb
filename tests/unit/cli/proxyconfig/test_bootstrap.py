from __future__ import annotations

import json
from pathlib import Path

from mizzen.cli.proxyconfig.bootstrap import summary
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh
from tests.unit.cli.proxyconfig.dumps import DUMP


def test_bootstrap(proxy: FakeMesh, mizzen: Mizzen) -> None:
    assert json.loads(mizzen("pc", "bootstrap", "p").out) == DUMP["configs"][0]
    assert mizzen("pc", "b", "p", "-o", "short").out.splitlines()[0] == "Istio Version:       0.1.0"


def test_envoys_version_is_that_of_its_build() -> None:
    build = {"version": {"major_number": 1, "minor_number": 40}}
    node = {"metadata": {"ISTIO_VERSION": "1.2.3"}, "user_agent_build_version": build}
    assert summary({"bootstrap": {"node": node}}).splitlines()[1:] == [
        "Istio Proxy Version: 1.2.3",
        "Envoy Version:       1.40.0",
    ]


def test_files_have_no_bootstrap_and_the_next_step_is_said(mizzen: Mizzen, tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_text('{"configs": []}')
    result = mizzen("pc", "bootstrap", "-f", str(tmp_path / "dump.json"))
    assert (result.code, "ask a running proxy, without -f" in result.err) == (1, True)
