"""Which iptables is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mizzen.capture import variant

EMPTY = "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"
RULES = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j ACCEPT\nCOMMIT\n"
CHAINS = "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n"
Tools = Callable[..., None]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Stand-ins for the tools of these kinds, whose ``-save`` says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(variant, "_SBIN", str(tmp_path))

    def make(plain: bool = True, code: int = 0, **saved: str) -> None:
        names = {f"iptables-{kind}-save": text for kind, text in saved.items()}
        names |= {f"iptables-{kind}-restore": "" for kind in saved} | ({"iptables-restore": ""} if plain else {})
        for name, text in names.items():
            (tmp_path / name).write_text(f"#!/bin/sh\nprintf '%s' '{text}'\nexit {code}\n")
            (tmp_path / name).chmod(0o755)

    return make


@pytest.mark.row("TC-11")
@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        ({"nft": EMPTY, "legacy": EMPTY}, ""),
        ({"nft": RULES, "legacy": EMPTY}, "nft"),
        ({"nft": EMPTY, "legacy": RULES}, "legacy"),
        ({"nft": RULES, "legacy": RULES}, "nft"),
        ({"nft": EMPTY, "legacy": CHAINS}, "legacy"),
        ({}, ""),
    ],
)
def test_ours_go_where_others_are(tools: Tools, saved: dict[str, str], expected: str) -> None:
    tools(**saved)
    assert variant.detect() == expected


@pytest.mark.row("TC-11")
def test_what_is_installed_is_taken_where_there_is_no_plain_one(tools: Tools) -> None:
    tools(plain=False, legacy=EMPTY)
    assert variant.detect() == "legacy"


def test_a_tool_that_fails_has_no_rules(tools: Tools) -> None:
    tools(code=1, nft=RULES)
    assert variant.detect() == ""
