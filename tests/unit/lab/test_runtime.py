"""What every pod finds below /opt/mizzen."""

import os
import stat
from pathlib import Path

from mizzen.lab import runtime


def test_envoy_is_the_binary_and_not_the_script_that_starts_it() -> None:
    path = Path(runtime.envoy())
    assert path.read_bytes()[:4] == b"\x7fELF"
    assert path.stat().st_mode & stat.S_IXUSR


def test_everything_is_mounted_read_only_from_what_is_there() -> None:
    made = runtime.mounts()
    assert all(mount["read_only"] for mount in made)
    assert all(os.path.exists(mount["source"]) for mount in made)
    assert len({mount["target"] for mount in made}) == len(made)


def test_scripts_name_no_path_of_the_host() -> None:
    checkout = str(Path(runtime.__file__).resolve().parents[3])
    for path, text in runtime.files().items():
        assert path.startswith(("/opt/mizzen/bin/", "/usr/local/bin/"))
        assert text.startswith("#!/bin/sh\n")
        assert checkout not in text
