from __future__ import annotations

import os
import socket

import pytest

from mizzen.lab import kernel


@pytest.mark.parametrize(
    ("name", "number"), [("CHOWN", 0), ("NET_ADMIN", 12), ("NET_RAW", 13), ("SYS_ADMIN", 21), ("BPF", 39)]
)
def test_capabilities_have_the_numbers_of_the_kernels_header(name: str, number: int) -> None:
    assert kernel.CAPABILITIES.index(name) == number


def test_what_the_kernel_refuses_is_an_error_that_names_what_was_asked() -> None:
    with pytest.raises(OSError, match="mount nowhere on /no/such/place") as error:
        kernel.mount("nowhere", "/no/such/place", flags=kernel.MS_BIND)
    assert error.value.errno
    with pytest.raises(OSError, match="umount /no/such/place"):
        kernel.unmount("/no/such/place")
    with pytest.raises(FileNotFoundError):
        kernel.enter("/proc/self/ns/none")


def test_a_name_of_the_machine_is_cut_to_what_the_kernel_takes() -> None:
    """In a process of its own: a UTS namespace is not left again."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    pid = os.fork()
    if pid == 0:
        kernel.unshare(kernel.CLONE_NEWUTS)
        kernel.set_hostname("a" * 80)
        os._exit(0 if socket.gethostname() == "a" * 64 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
