"""Filter chains of one listener kept apart: Envoy refuses a listener of which two chains would take one connection.

Two chains meet already where one of several names or ranges is in both, so the parts of a chain are looked at, not its match as a
whole. Who comes first keeps what it has; of a later chain the rest is left (row PR-11).
"""

from __future__ import annotations

from collections.abc import Callable

from envoy.config.listener.v3 import listener_components_pb2 as components

Cell = tuple[bytes, bytes, str]
"""One range (serialized) and one server name, with everything else of a match (serialized); empty where it has none."""


def cells(match: components.FilterChainMatch) -> list[Cell]:
    """Every pair of a range and a server name that ``match`` takes, each once, by range."""
    other = components.FilterChainMatch()
    other.CopyFrom(match)
    other.ClearField("prefix_ranges")
    other.ClearField("server_names")
    rest = other.SerializeToString(deterministic=True)
    ranges = dict.fromkeys(r.SerializeToString(deterministic=True) for r in match.prefix_ranges) or {b"": None}
    server_names = dict.fromkeys(match.server_names) or {"": None}
    return [(rest, within, name) for within in ranges for name in server_names]


def remaining(chain: components.FilterChain, is_free: Callable[[Cell], bool]) -> list[components.FilterChain]:
    """``chain`` for those of its cells that are free: itself, or one chain for each group of ranges with the same names."""
    match = chain.filter_chain_match
    found = cells(match)
    free = [cell for cell in found if is_free(cell)]
    if len(free) == max(len(match.prefix_ranges), 1) * max(len(match.server_names), 1):
        return [chain]
    kept: dict[bytes, list[str]] = {}
    for _, within, name in free:
        kept.setdefault(within, []).append(name)
    groups: dict[tuple[str, ...], list[bytes]] = {}
    for within, server_names in kept.items():
        groups.setdefault(tuple(server_names), []).append(within)
    return [_part(chain, ranges, server_names) for server_names, ranges in groups.items()]


def _part(chain: components.FilterChain, ranges: list[bytes], server_names: tuple[str, ...]) -> components.FilterChain:
    part = components.FilterChain()
    part.CopyFrom(chain)
    match = part.filter_chain_match
    match.ClearField("prefix_ranges")
    match.server_names[:] = [name for name in server_names if name]
    for within in ranges:
        if within:
            match.prefix_ranges.add().MergeFromString(within)
    return part
