"""What is kept of another cluster."""

from mizzen.model.remote import KINDS, Remote


def test_kinds_that_nobody_has_are_one_and_the_same_nothing() -> None:
    assert Remote().of("Pod") is Remote().of("Service")
    assert not Remote().of("Pod")


def test_neither_secrets_nor_istio_s_objects_are_read() -> None:
    assert not {"Secret", "VirtualService", "PeerAuthentication", "ServiceEntry", "Gateway"} & set(KINDS)
