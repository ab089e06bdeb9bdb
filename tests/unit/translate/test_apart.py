"""Chains of one listener that would take the same connections."""

from collections.abc import Iterable

import pytest
from envoy.config.listener.v3 import listener_components_pb2 as components

from mizzen.translate.apart import Cell, cells, remaining

Shape = tuple[tuple[str, ...], tuple[str, ...]]


def chain(ranges: Iterable[str] = (), names: Iterable[str] = (), port: int = 0) -> components.FilterChain:
    made = components.FilterChain(name="x")
    made.filter_chain_match.server_names.extend(names)
    if port:
        made.filter_chain_match.destination_port.value = port
    for address in ranges:
        made.filter_chain_match.prefix_ranges.add(address_prefix=address).prefix_len.value = 24
    return made


def shapes(chains: Iterable[components.FilterChain]) -> list[Shape]:
    return [
        (
            tuple(r.address_prefix for r in c.filter_chain_match.prefix_ranges),
            tuple(c.filter_chain_match.server_names),
        )
        for c in chains
    ]


@pytest.mark.row("PR-11")
@pytest.mark.parametrize(("older", "younger", "left"), [
    ([], chain(), [((), ())]),
    ([chain()], chain(), []),
    ([chain()], chain(names="a"), [((), ("a",))]),
    ([], chain(names="aba"), [((), ("a", "b"))]),
    ([], chain(["1.1.1.0", "1.1.1.0"]), [(("1.1.1.0",), ())]),
    ([chain(names="a")], chain(names="ab"), [((), ("b",))]),
    ([chain(names="ab")], chain(names="ba"), []),
    ([chain(["1.1.1.0"])], chain(["1.1.1.0", "2.2.2.0"]), [(("2.2.2.0",), ())]),
    ([chain(["1.1.1.0"], "a")], chain(["1.1.1.0", "2.2.2.0", "3.3.3.0"], "ab"),
     [(("1.1.1.0",), ("b",)), (("2.2.2.0", "3.3.3.0"), ("a", "b"))]),
    ([chain(names="a", port=80)], chain(names="a", port=81), [((), ("a",))]),
])  # fmt: skip
def test_the_younger_keeps_what_is_left(
    older: list[components.FilterChain], younger: components.FilterChain, left: list[Shape]
) -> None:
    taken: set[Cell] = {cell for one in older for cell in cells(one.filter_chain_match)}
    found = remaining(younger, lambda cell: cell not in taken)
    assert shapes(found) == left
    assert all(
        part.name == "x" and part.filter_chain_match.destination_port == younger.filter_chain_match.destination_port
        for part in found
    )
