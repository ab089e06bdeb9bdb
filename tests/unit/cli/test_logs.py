from __future__ import annotations

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, pod


def test_the_apps_container_is_the_default(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(pod("p"))
    mesh.logs = [b"one\n", b"two\n"]
    assert mizzen("logs", "p", "--tail", "2") == (0, "one\ntwo\n", "")
    assert mesh.requests[-1][2] == {"namespace": "default", "pod": "p", "container": "app", "follow": "0", "tail": "2"}


def test_another_container_by_option_or_by_place(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(pod("p"))
    mesh.logs = [b"x"]
    for arguments in (("-c", "istio-proxy"), ("istio-proxy",)):
        assert mizzen("logs", "p", *arguments, "-f").code == 0
        assert mesh.requests[-1][2]["container"] == "istio-proxy"
    assert mizzen("logs", "p", "-c", "ghost").code == 1
