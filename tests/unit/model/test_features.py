"""Switches of the control plane."""

from __future__ import annotations

from mizzen.model.features import Features, RemoteKeys


def test_as_in_istio_nothing_is_switched_on() -> None:
    assert Features() == Features(several_authorizers=False, remote_keys=RemoteKeys.CONTROL_PLANE)
