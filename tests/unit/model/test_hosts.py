"""Host names: what a short one means, and which pattern wins."""

from __future__ import annotations

import pytest

from mizzen.model import hosts


@pytest.mark.row("CM-09")
@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("reviews", "reviews.b.svc.cluster.local"),
        ("reviews.prod", "reviews.prod"),
        ("a.example.com", "a.example.com"),
        ("*", "*"),
        ("*.x", "*.x"),
        ("1.2.3.4", "1.2.3.4"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_only_a_name_without_dots_is_of_the_objects_namespace(written: str, full: str) -> None:
    assert hosts.full_name(written, "b", "cluster.local") == full


@pytest.mark.row("CM-10")
@pytest.mark.parametrize(
    ("patterns", "host", "winner"),
    [
        (("*", "*.a.com", "*.b.a.com", "x.b.a.com"), "x.b.a.com", "x.b.a.com"),
        (("*", "*.a.com", "*.b.a.com"), "x.b.a.com", "*.b.a.com"),
        (("*.a.com",), "a.com", None),
        (("*",), "a.com", "*"),
        (("b.com",), "a.com", None),
    ],
)
def test_exact_beats_wildcard_and_the_longer_suffix_beats_the_shorter(
    patterns: tuple[str, ...], host: str, winner: str | None
) -> None:
    assert hosts.most_specific(patterns, host) == winner
    assert hosts.most_specific(reversed(patterns), host) == winner


def test_overlap_is_the_narrower() -> None:
    assert hosts.overlap("*.a.com", "x.a.com") == "x.a.com"
    assert hosts.overlap("x.a.com", "*") == "x.a.com"
    assert hosts.overlap("*.a.com", "*.b.com") is None


@pytest.mark.parametrize(("text", "yes"), [("10.0.0.1", True), ("10.0.0.0/8", True), ("a", False), ("", False)])
def test_addresses(text: str, yes: bool) -> None:
    assert hosts.is_address(text) is yes


@pytest.mark.parametrize(
    ("text", "one", "some"),
    [("192.0.2.1", True, True), ("2001:db8::1", True, True), ("10.0.0.0/8", False, True), ("a.com", False, False)],
)
def test_a_range_is_no_single_address(text: str, one: bool, some: bool) -> None:
    assert (hosts.is_ip(text), hosts.is_address(text)) == (one, some)
