from __future__ import annotations

import pytest

from mizzen.cli.proxyconfig.log import queries
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh


def test_log_levels_are_asked_of_envoy(proxy: FakeMesh, mizzen: Mizzen) -> None:
    proxy.envoy |= {
        "/logging": b"active loggers:\n  rbac: warning\n",
        "/logging?rbac=debug": b"rbac: debug\n",
        "/logging?level=warning": b"all\n",
    }
    assert mizzen("pc", "log", "p").out.startswith("p.default:\nactive loggers:")
    assert "rbac: debug" in mizzen("pc", "log", "p", "--level", "rbac:debug").out
    assert mizzen("pc", "log", "p", "--reset").code == 0
    assert mizzen("pc", "log", "p", "--level", "rbac:loud").code == 2
    assert mizzen("pc", "log", "p", "--level", "debug", "--reset").code == 2


def test_levels_become_one_request_each() -> None:
    assert queries("warn,rbac:trace,jwt=none") == ["level=warning", "rbac=trace", "jwt=off"]


@pytest.mark.parametrize(
    ("level", "why"), [("loud", "is no level"), ("A B:debug", "is no scope"), ("info,debug", "only one")]
)
def test_a_wrong_level_names_what_is_wrong(level: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        queries(level)
