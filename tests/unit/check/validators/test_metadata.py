"""Reserved annotations."""

import pytest

from tests.unit.check.judging import errors, route


@pytest.mark.row("CM-16")
@pytest.mark.parametrize(
    "name",
    ["internal.istio.io/parents", "internal.istio.io/parent-namespace", "internal.istio.io/webhook-always-reject"],
)
def test_reserved(name: str) -> None:
    assert errors("PeerAuthentication", {}, annotations={name: "x"}) == [f'metadata.annotations["{name}"]']


def test_dry_run_is_for_authorization_policies() -> None:
    assert errors("PeerAuthentication", {}, annotations={"istio.io/dry-run": "true"}) != []
    assert errors("VirtualService", route(), annotations={"other": "x"}) == []
