import pytest

from mizzen.errors import LabError
from tests.conformance import quiet


class Proxy:
    """Answers with one text after the other; the last one stays."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked = 0

    def __call__(self) -> bytes:
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
    monkeypatch.setattr(quiet, "DRAIN_SECONDS", 0.4)
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


def test_what_warms_for_ever_is_not_waited_for() -> None:
    assert quiet.settle({"p": Proxy(WARMS)}) == []


def test_what_drains_for_ever_is_named() -> None:
    assert quiet.settle({"p": Proxy(DRAINS), "q": Proxy(IDLE)}) == ["p"]
