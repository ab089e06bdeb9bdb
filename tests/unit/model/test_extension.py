"""What one fetch serves."""

from __future__ import annotations

import pytest

from mizzen.model.extension import Module


@pytest.mark.row("WP-03", "WP-04")
def test_the_key_tells_apart_what_one_fetch_does_not_serve() -> None:
    plain = Module("oci://r.example/a", namespace="a")
    others = (
        Module("oci://r.example/b", namespace="a"),
        Module("oci://r.example/a", "0" * 64, namespace="a"),
        Module("oci://r.example/a", namespace="a", secret="pull"),
        Module("oci://r.example/a", namespace="b", secret="pull"),
        Module("oci://r.example/a", namespace="a", generation="2"),
    )
    assert len({plain.key, *(module.key for module in others)}) == 6
    assert plain.key == Module("oci://r.example/a", namespace="b").key, "without a secret anybody's fetch serves"


def test_only_a_file_has_a_path() -> None:
    assert Module("file:///opt/x.wasm").path == "/opt/x.wasm"
    assert Module("https://h.example/opt/x.wasm").path == ""
