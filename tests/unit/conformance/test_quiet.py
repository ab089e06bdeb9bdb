import time

import pytest

from mizzen.errors import LabError
from tests.conformance import quiet


class Proxy:
    """Answers with one text after the other; the last one stays. ``secrets`` are what it waits for."""

    def __init__(self, *texts: str, secrets: str = "{}") -> None:
        self.texts = list(texts)
        self.secrets = secrets
        self.asked = 0

    def __call__(self, path: str) -> bytes:
        if path == quiet.SECRETS:
            return self.secrets.encode()
        self.asked += 1
        text = self.texts[0] if len(self.texts) == 1 else self.texts.pop(0)
        if not text:
            raise LabError("nobody answers")
        return text.encode()


IDLE = "listener_manager.total_filter_chains_draining: 0\ncluster_manager.warming_clusters: 0\n"
DRAINS = "listener_manager.total_filter_chains_draining: 2\n"
WARMS = "cluster_manager.warming_clusters: 1\n"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "DRAIN_SECONDS", 1.5)
    monkeypatch.setattr(quiet, "WARM_SECONDS", 0.15)


def test_gauges_are_read() -> None:
    assert quiet.gauges(b"a.b: 3\nnonsense\nc: x\n") == {"a.b": 3}


@pytest.mark.parametrize("busy", [DRAINS, WARMS, ""])
def test_it_waits_for_a_proxy_that_drains_or_warms_or_is_silent(busy: str) -> None:
    proxy = Proxy(busy, busy, IDLE)
    assert quiet.settle({"p": proxy}) == []
    assert proxy.asked == 3


def test_a_quiet_proxy_is_asked_once_only() -> None:
    idle, busy = Proxy(IDLE), Proxy(DRAINS, DRAINS, IDLE)
    assert quiet.settle({"idle": idle, "busy": busy}) == []
    assert (idle.asked, busy.asked) == (1, 3)


def test_a_cluster_that_warms_for_ever_is_not_waited_for() -> None:
    assert quiet.settle({"p": Proxy(WARMS)}) == []


LISTENER_WARMS = "listener_manager.total_listeners_warming: 1\n"


def test_a_listener_is_waited_for_however_long_it_warms_and_drains_then() -> None:
    """A busy machine may need longer than ``WARM_SECONDS``: until then the old rules are in force."""
    proxy = Proxy(*[LISTENER_WARMS] * 12, DRAINS, DRAINS, IDLE)
    assert quiet.settle({"p": proxy}) == []
    assert proxy.texts == [IDLE]


def test_a_listener_that_waits_for_a_secret_is_not_waited_for() -> None:
    proxy = Proxy(LISTENER_WARMS, secrets='{"configs": [{"name": "kubernetes://gone"}]}')
    begin = time.monotonic()
    assert quiet.settle({"p": proxy}) == []
    assert time.monotonic() - begin < quiet.DRAIN_SECONDS


def test_a_listener_that_warms_for_ever_is_given_up() -> None:
    assert quiet.settle({"p": Proxy(LISTENER_WARMS)}) == []


def test_what_drains_for_ever_is_named() -> None:
    assert quiet.settle({"p": Proxy(DRAINS), "q": Proxy(IDLE)}) == ["p"]
