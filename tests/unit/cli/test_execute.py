from __future__ import annotations

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, deployment, pod


def test_the_commands_output_and_exit_code_are_ours(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(deployment("curl"))
    mesh.put(pod("curl-x", {"app": "curl"}))
    assert mizzen("exec", "deploy/curl", "--", "sh", "-c", "echo out; echo err >&2; exit 7") == (7, "out\n", "err\n")
    order = mesh.executed[0]
    assert (order["namespace"], order["pod"], order["container"], order["cwd"], order["env"]) == (
        "default",
        "curl-x",
        "app",
        None,
        None,
    )


def test_options_of_the_command_are_its_own(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(pod("p", namespace="shop"))
    assert mizzen("exec", "p", "-n", "shop", "-c", "istio-proxy", "--", "echo", "-n", "x").out == "x"
    assert mesh.executed[0]["container"] == "istio-proxy"


def test_what_cannot_start_is_125(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(pod("p"))
    result = mizzen("exec", "p", "--", "/no/such")
    assert result.code == 125
    assert "/no/such: No such file or directory" in result.err
    assert mizzen("exec", "ghost", "--", "true").code == 125
    assert mizzen("exec", "p", "-c", "ghost", "--", "true").code == 125
    assert mizzen("exec", "p", "--mesh", "nobody", "--", "true").code == 125


def test_no_command_is_wrong_usage(mesh: FakeMesh, mizzen: Mizzen) -> None:
    assert mizzen("exec", "p").code == 2
