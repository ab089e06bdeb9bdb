"""Where Envoy is found, and which connections hold up an end."""

import shutil

import pytest

from mizzen.agent.http import Response
from mizzen.agent.settings import Settings
from mizzen.agent.supervise import Envoy, find_envoy, override
from tests.unit.agent.serving import served


def test_the_configured_binary_wins_then_the_installed_then_the_package(tmp_path):
    script, program = tmp_path / "script", tmp_path / "envoy"
    script.write_text("#!/usr/bin/python3\n")
    script.chmod(0o755)
    shutil.copy("/bin/true", program)
    assert find_envoy("/x/envoy", [str(program)]) == "/x/envoy"
    assert find_envoy("", [str(tmp_path / "none"), str(script), str(program)]) == str(program)
    assert find_envoy("", [str(script)]).endswith("_bin/envoy")


async def test_an_envoy_that_does_not_answer_has_no_connections():
    assert await Envoy(Settings(proxy_config={"proxyAdminPort": 1}), lambda _: None).active_connections() == 0


async def test_only_others_connections_count():
    lines = ("admin 1", "0.0.0.0_15021 2", "0.0.0.0_15090 4", "agent-watch 8", "0.0.0.0_15006 16", "0.0.0.0_80 32")
    counts = [line.split() for line in lines]
    text = "".join(f"listener.{name}.downstream_cx_active: {number}\n" for name, number in counts)

    async def answer(request):
        return Response(200, text.encode())

    async with served(answer) as port:
        envoy = Envoy(Settings(proxy_config={"proxyAdminPort": port}), lambda _: None)
        assert await envoy.active_connections() == 16 + 32


@pytest.mark.row("AN-05", "EF-08")
def test_a_file_may_be_merged_over_the_bootstrap(tmp_path):
    assert override(Settings()) == []
    file = tmp_path / "custom_bootstrap.json"
    file.write_text('{"stats_flush_interval": "1s", "x": "$(HOST_IP)"}')
    given = override(Settings(bootstrap_override=str(file), host_ip="10.0.0.1"))
    assert given == ["--config-yaml", '{"stats_flush_interval": "1s", "x": "10.0.0.1"}']
    with pytest.raises(OSError, match="none"):
        override(Settings(bootstrap_override=str(tmp_path / "none")))
