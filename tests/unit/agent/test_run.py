from __future__ import annotations

import json
import re

import pytest

from mizzen.agent import run


def test_a_line_of_the_log_has_time_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    run.report("draining")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\tinfo\tagent\tdraining\n", capsys.readouterr().err)


@pytest.mark.row("AG-17")
def test_a_line_of_the_log_may_be_json(capsys: pytest.CaptureFixture[str]) -> None:
    run.report('a "word"', as_json=True)
    found = json.loads(capsys.readouterr().err)
    assert (found["level"], found["scope"], found["msg"]) == ("info", "agent", 'a "word"')
    assert found["time"].endswith("Z")


def test_every_cause_of_an_end_is_found_however_deep() -> None:
    group = BaseExceptionGroup("a", [OSError("one"), BaseExceptionGroup("b", [OSError("two")])])
    assert [str(error) for error in run._leaves(group)] == ["one", "two"]


def test_a_taken_status_port_ends_the_agent_with_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    from mizzen.agent.settings import Settings

    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        assert run.run(Settings(proxy_config={"statusPort": port})) == 1
    assert "address already in use" in capsys.readouterr().err
