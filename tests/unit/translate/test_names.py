"""Names that users, Kiali and EnvoyFilters key on."""

from __future__ import annotations

import pytest

from mizzen.translate import names


@pytest.mark.row("XD-22")
@pytest.mark.parametrize(
    ("subset", "cluster", "sni"),
    [("", "outbound|80||a.b", "outbound_.80_._.a.b"), ("v1", "outbound|80|v1|a.b", "outbound_.80_.v1_.a.b")],
)
def test_clusters_and_server_names(subset: str, cluster: str, sni: str) -> None:
    assert names.cluster(80, subset, "a.b") == cluster
    assert names.sni(80, subset, "a.b") == sni
