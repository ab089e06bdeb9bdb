"""What the core knows of pods, secrets and services."""

from typing import Any

import pytest

from mizzen.api.kubernetes import PodCondition, PodStatus, Secret, Service


def test_a_pod_is_ready_by_its_condition() -> None:
    assert PodStatus(conditions=(PodCondition(type="Ready", status="True"),)).ready
    assert not PodStatus(conditions=(PodCondition(type="Ready", status="False"),)).ready
    assert not PodStatus(phase="Running").ready


def test_a_secret_does_not_show_its_values() -> None:
    text = repr(Secret(type="tls", data={"tls.key": "c2VjcmV0"}, string_data={"x": "secret"}))
    assert "tls.key" in text
    assert "c2VjcmV0" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({}, []),
        ({"loadBalancer": "x"}, []),
        ({"loadBalancer": {"ingress": 7}}, []),
        ({"loadBalancer": {"ingress": ["x", {"ip": "1.1.1.1"}, {"hostname": "lb"}]}}, [("1.1.1.1", ""), ("", "lb")]),
    ],
)
def test_a_status_of_any_form_is_read(status: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert Service(status=status).balancer == found
