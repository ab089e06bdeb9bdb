from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.external_control_plane import webhook_addresses
from tests.unit.analyze.estates import found, messages, obj

M, V = "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"


def codes(kind: str, name: str, **client: Any) -> list[str]:
    hooks = [{"name": "h.istio.io", "clientConfig": client}]
    return [code for code, _ in found(webhook_addresses, obj(kind, name, webhooks=hooks))]


@pytest.mark.row("IM-40")
@pytest.mark.parametrize(("kind", "name"), [
    (M, "istio-sidecar-injector-x"), (V, "istio-validator-x"), (V, "istiod-default-validator"),
])  # fmt: skip
def test_the_address_of_a_control_plane(kind: str, name: str) -> None:
    assert codes(kind, name) == codes(kind, name, url="") == ["IST0163"]
    assert codes(kind, name, url="https://[") == ["IST0163"]
    assert (
        codes(kind, name, url="https://10.1.2.3:15017/inject")
        == codes(kind, name, url="https://[::1]/x")
        == ["IST0164"]
    )
    assert codes(kind, name, url="https://istiod.example:15017/inject") == []
    assert codes(kind, name, service={"name": "istiod"}) == codes(kind, name, url="nowhere") == []


@pytest.mark.row("IM-40")
def test_other_webhooks_are_not_looked_at() -> None:
    assert codes(M, "other", url="") == codes(V, "istio-sidecar-injector", url="") == []


@pytest.mark.row("IM-40")
def test_the_text_names_webhook_and_reason() -> None:
    hooks = [{"name": "h.istio.io", "clientConfig": {}}]
    assert messages(webhook_addresses, obj(M, "istio-sidecar-injector", webhooks=hooks)) == [
        'webhook h.istio.io: the address "" is blank'
    ]
