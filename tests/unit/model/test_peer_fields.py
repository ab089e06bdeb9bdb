"""What expressions ask about the other side."""

import pytest

from mizzen.model.peer_fields import PeerField, peer_fields, with_peer_fields


@pytest.mark.row("TM-04")
@pytest.mark.parametrize(
    ("expression", "upstream", "name"),
    [
        ("filter_state.upstream_peer.labels['app'].value", True, "app"),
        ('upstream_peer.labels["version"]', True, "version"),
        ("downstream_peer.namespace", False, "namespace"),
        ("filter_state.downstream_peer.name", False, "workload"),
        ("upstream_peer.labels['service.istio.io/canonical-name']", True, "canonical-name"),
        ("upstream_peer.labels['team']", True, ""),
        ("downstream_peer.platform_metadata", False, ""),
    ],
)
def test_found(expression: str, upstream: bool, name: str) -> None:
    (field,) = peer_fields(f"size({expression}) > 0")
    assert field == PeerField(expression, upstream, name)


def test_everything_else_stays() -> None:
    text = "'upstream_peer.app' == my_upstream_peer.app || x.upstream_peer.app == downstream_peer.app"
    assert with_peer_fields(text, lambda field: f"<{field.name}>") == text.removesuffix("downstream_peer.app") + "<app>"
