"""What agents may say of modules."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.errors import ProtocolError
from mizzen.model.extension import Fetched
from mizzen.model.proxy import ProxyType
from mizzen.model.service import Locality
from mizzen.server.node import Node
from mizzen.server.reports import MOST, Reports, parse

KEY, DIGEST = "0" * 32, "a" * 64


def node(boot: str = "1", name: str = "p") -> Node:
    metadata = {"MIZZEN_BOOT": boot} if boot else {}
    return Node(f"sidecar~10.0.0.1~{name}.a~a", ProxyType.SIDECAR, "10.0.0.1", name, "a", Locality(), metadata)


@pytest.mark.row("AG-12")
def test_a_report_counts_for_the_life_of_the_agent_that_made_it() -> None:
    reports = Reports()
    assert reports.of(node()) is None
    assert reports.take(node(), {KEY: Fetched(DIGEST)})
    assert not reports.take(node(), {KEY: Fetched(DIGEST)}), "no news"
    assert reports.of(node()) == {KEY: Fetched(DIGEST)}
    assert reports.of(node("2")) is None, "files of an earlier life may be gone"
    assert reports.of(node("")) is None
    assert reports.of(node(name="other")) is None
    assert reports.take(node(), {})
    assert reports.of(node()) == {}


def test_what_is_said_is_read_with_care() -> None:
    assert parse({}) == {}
    assert parse({KEY: {"sha256": DIGEST, "error": "x"}}) == {KEY: Fetched(DIGEST)}
    assert parse({KEY: {"error": "a\nb" + "c" * 1000}})[KEY].error == "a?b" + "c" * 497
    assert parse({KEY: {}})[KEY].error


@pytest.mark.parametrize(
    "written",
    [
        None,
        [],
        {f"{i:032x}": {} for i in range(MOST + 1)},
        {"../../etc": {}},
        {KEY: "x"},
        {KEY: {"sha256": "../x"}},
        {KEY: {"sha256": 1}},
        {KEY: {"error": 1}},
    ],
)
def test_nonsense_is_refused(written: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(written)
