"""Row TC-12: without rules the probe does not arrive. With rules: tests/e2e/test_capture.py."""

import socket

import pytest

from mizzen.capture.validation import validate
from mizzen.errors import LabError


def ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.mark.row("TC-12")
def test_what_is_not_captured_fails_in_time() -> None:
    with pytest.raises(LabError, match=r"was not captured within 0\.3 s"):
        validate(ports(), 4, 0.3)


@pytest.mark.row("TC-12")
def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LabError, match=r"cannot listen on 127\.0\.0\.1"):
            validate((taken.getsockname()[1], 0), 4, 0.3)
