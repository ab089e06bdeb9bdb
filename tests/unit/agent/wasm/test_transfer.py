"""Which addresses are asked; the rest is in test_fetch.py."""

from __future__ import annotations

import pytest

from mizzen.agent.wasm.transfer import NEVER, Refused, Transfer
from tests.fakes import registry


@pytest.mark.row("WP-14")
@pytest.mark.parametrize("url", ["ftp://h.example/", "file:///etc/passwd", "http:///x"])
def test_other_urls_are_refused(url: str) -> None:
    with Transfer(1.0, 10) as transfer, pytest.raises(Refused):
        transfer.get(url)


@pytest.mark.row("WP-14")
def test_the_users_networks_are_added_to_those_never_asked() -> None:
    content = registry.Content()
    content.files["x"] = b"x"
    with registry.serving(content) as (place, log):
        with Transfer(1.0, 10, ("127.0.0.0/8",)) as transfer, pytest.raises(Refused):
            transfer.get(f"http://{place}/files/x")
        assert log == []
        with Transfer(1.0, 10) as transfer:
            assert transfer.text(transfer.get(f"http://{place}/files/x"), 10) == b"x"
    assert "169.254.0.0/16" in NEVER
