from __future__ import annotations

import json

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh
from tests.unit.cli.proxyconfig.dumps import DUMP


def test_all_is_every_table_and_the_raw_dump(proxy: FakeMesh, mizzen: Mizzen) -> None:
    out = mizzen("pc", "all", "p").out
    for text in (
        "cluster/BlackHoleCluster",
        "listener/0.0.0.0 ",
        "route/9080",
        "endpoint/10.255.0.9:9080",
        "Istio Version:",
    ):
        assert text in out
    assert json.loads(mizzen("pc", "all", "p", "-o", "json").out) == DUMP


def test_the_lines_of_headers_can_be_left_out(proxy: FakeMesh, mizzen: Mizzen) -> None:
    assert "SERVICE FQDN" in mizzen("pc", "all", "p").out
    assert "SERVICE FQDN" not in mizzen("pc", "all", "p", "--with-headers=false").out
