"""Whether a supervisor answers, and what is said when it does not start."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from mizzen.errors import LabError
from mizzen.lab import launch


def test_nobody_answers_where_no_socket_is(tmp_path: Path) -> None:
    assert not launch.answers(tmp_path / "sock")


def test_a_socket_whose_owner_is_gone_does_not_answer(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        listener.listen()
    assert not launch.answers(tmp_path / "sock")


def test_a_supervisor_that_answers_runs(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = Thread(target=serve)
        thread.start()
        assert launch.answers(tmp_path / "sock")
        thread.join()


def test_a_bad_name_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no name for a mesh"):
        launch.start("Not A Name", tmp_path / "state", None)
    assert not (tmp_path / "state").exists()


def test_the_reason_and_the_hint_come_from_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\nLabError: port 53 is in use\nhint: stop what listens there\n")
    error = launch._reason(log, 4)
    assert (str(error), error.hint) == ("port 53 is in use", "stop what listens there")
    log.write_text("Traceback\nValueError: odd\n")
    assert "ValueError: odd" in str(launch._reason(log, 0))


def test_an_ended_process_that_nobody_reaped_does_not_live() -> None:
    assert launch._lives(os.getpid())
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()  # the end of its output is the end of the process
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not launch._lives(process.pid)
    process.stdout.close()
    process.wait()
