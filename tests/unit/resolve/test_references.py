"""What a VirtualService names and nobody declares becomes a warning on that field (IST0101)."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.model.config import Config
from mizzen.resolve import build
from tests.meshes import routes, rule, service

WEB = service("web", "a", 1, [{"name": "http", "port": 80}, {"name": "tcp", "port": 90}])
RULE = rule("web", "a", host="web", subsets=[{"name": "v1"}])


def _found(destination: dict[str, Any], section: str = "http") -> list[tuple[str, str]]:
    body = {
        section: [
            {"match": [{"sniHosts": ["web"]}] if section == "tls" else [], "route": [{"destination": destination}]}
        ]
    }
    made = build(Config().with_objects([WEB, RULE, routes("r", "a", hosts=["web"], **body)]))
    return [(finding.code, finding.field) for finding in made.findings]


@pytest.mark.row("VS-27")
@pytest.mark.parametrize("section", ["http", "tcp", "tls"])
@pytest.mark.parametrize(
    ("destination", "field"),
    [
        ({"host": "nobody"}, "host"),
        ({"host": "web", "subset": "v9"}, "subset"),
        ({"host": "web", "port": {"number": 81}}, "port"),
    ],
)
def test_a_host_subset_or_port_that_does_not_exist(destination: dict[str, Any], field: str, section: str) -> None:
    assert _found(destination, section) == [("IST0101", f"spec.{section}[0].route[0].destination.{field}")]


@pytest.mark.row("VS-27")
def test_what_exists_draws_nothing() -> None:
    assert _found({"host": "web", "subset": "v1", "port": {"number": 80}}) == []


@pytest.mark.row("VS-49")
def test_mirrors_and_gateways_are_looked_at_too() -> None:
    http = [{"route": [{"destination": {"host": "web"}}], "mirrors": [{"destination": {"host": "gone"}}]}]
    made = build(Config().with_objects([WEB, routes("r", "a", hosts=["x.com"], gateways=["none"], http=http)]))
    assert [finding.field for finding in made.findings] == [
        "spec.gateways[0]",
        "spec.http[0].mirrors[0].destination.host",
    ]
