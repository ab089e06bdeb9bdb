"""Where Envoy is found, and which connections hold up an end."""

import shutil

from mizzen.agent.settings import Settings
from mizzen.agent.supervise import Envoy, find_envoy


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
