from __future__ import annotations

import pytest

from mizzen.inject.settings import IGNORED_NAMESPACES, InjectSettings


@pytest.mark.parametrize(
    ("revision", "host"), [("default", "istiod.istio-system.svc"), ("canary", "istiod-canary.istio-system.svc")]
)
def test_a_revision_is_part_of_its_control_planes_name(revision: str, host: str) -> None:
    assert InjectSettings(revision=revision).discovery_host == host


def test_the_lab_keeps_the_classic_order_and_system_namespaces_are_left_alone() -> None:
    assert InjectSettings().native_sidecars is False
    assert "kube-system" in IGNORED_NAMESPACES
