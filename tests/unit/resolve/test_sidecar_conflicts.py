from __future__ import annotations

from typing import Any

import pytest

from mizzen.model.config import Config
from mizzen.resolve import build
from tests.meshes import NETWORKING, new


def of(name: str, namespace: str = "a", second: int = 0, **spec: Any) -> Any:
    meta = {"creationTimestamp": f"2026-01-01T00:00:0{second}Z"}
    return new(NETWORKING, "Sidecar", namespace, name, {"egress": [{"hosts": ["*/*"]}], **spec}, meta=meta)


WEB = {"workloadSelector": {"labels": {"app": "web"}}}
CART = {"workloadSelector": {"labels": {"app": "cart"}}}


@pytest.mark.row("SC-10")
def test_the_younger_of_two_that_mean_the_same_pods_is_told() -> None:
    objects = [
        of("z", second=1),
        of("a", second=2),
        of("web", **WEB),
        of("web2", second=3, **WEB),
        of("cart", **CART),
        of("z", "istio-system"),
        of("other", "istio-system", 4),
    ]
    found = build(Config().with_objects(objects)).findings
    assert sorted((f.code, f.namespace, f.name) for f in found if f.kind == "Sidecar") == [
        ("IST0110", "a", "web2"),
        ("IST0111", "a", "a"),
        ("IST0111", "istio-system", "other"),
    ]


def test_one_each_is_fine() -> None:
    assert build(Config().with_objects([of("a"), of("web", **WEB), of("b", "b")])).findings == ()
