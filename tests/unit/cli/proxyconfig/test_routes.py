from __future__ import annotations

from collections.abc import Callable

import pytest

from mizzen.cli.proxyconfig.routes import domains_text, rows
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh

Cells = Callable[[str], list[list[str]]]


@pytest.mark.row("IX-12")
def test_routes(proxy: FakeMesh, mizzen: Mizzen, cells: Cells) -> None:
    assert cells(mizzen("pc", "routes", "p").out) == [
        ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"],
        [
            "9080",
            "reviews.default.svc.cluster.local:9080",
            "reviews, reviews.default + 1 more...",
            "/*",
            "reviews.default",
        ],
        ["9080", "nothing", "nothing", "/*", "404"],
    ]
    assert cells(mizzen("pc", "r", "p", "--verbose=false").out)[1] == ["9080", "3"]
    assert mizzen("pc", "r", "p", "--name", "80", "-o", "json").out == "[]\n"


def test_domains_are_shown_without_ports_and_without_longer_spellings() -> None:
    assert domains_text(["*"]) == "*"
    assert domains_text(["a.b.svc.cluster.local", "a", "a.b", "a.b.svc", "10.0.0.1", "a:80"]) == "a, a.b + 1 more..."


def test_routes_to_the_outside_are_left_out() -> None:
    through = {"match": {"prefix": "/"}, "route": {"cluster": "PassthroughCluster"}}
    assert (
        rows([{"name": "80", "virtual_hosts": [{"name": "allow_any", "domains": ["*"], "routes": [through]}]}], True)
        == []
    )
