"""Which program stands for a container image: looked up by the last path component, without registry and tag."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from msgspec import Struct

from mizzen.errors import LabError

PYTHON = "/opt/mizzen/bin/mizzen-python"
AGENT = "/usr/local/bin/pilot-agent"


class Image(Struct, frozen=True):
    """``entrypoint`` is what ``command`` of a container replaces, ``arguments`` what ``args`` replaces.

    ``programs`` are executables that people run by path inside the image, each with the command it stands for.
    """

    entrypoint: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    programs: Mapping[str, tuple[str, ...]] = {}


def short_name(image: str) -> str:
    """``docker.io/istio/examples-bookinfo-details-v1:1.20@sha256:…`` is ``examples-bookinfo-details-v1``."""
    return image.rsplit("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]


Sample = tuple[tuple[str, ...], Mapping[str, str], Mapping[str, tuple[str, ...]]]
"""A sample program: the interpreter's arguments, an environment, and the arguments of each program inside the image."""


def built_in(samples: Mapping[str, Sample]) -> dict[str, Image]:
    """Our own images and the sample programs."""
    images = {
        name: Image((PYTHON, *command), (), environment, {path: (PYTHON, *words) for path, words in programs.items()})
        for name, (command, environment, programs) in samples.items()
    }
    sleep = Image(("/bin/sleep",), ("infinity",))
    for name in ("curl", "sleep", "pause"):
        images.setdefault(name, sleep)
    images["proxyv2"] = Image((AGENT,))
    return images


def scripts(used: Iterable[Image]) -> dict[str, str]:
    """The programs of these images as files: path and shell script."""
    return {
        path: f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'
        for image in used
        for path, command in image.programs.items()
    }


def from_settings(settings: Mapping[str, object]) -> dict[str, Image]:
    """``images:`` of mizzen.yaml: a name and the command as a list or a line of words. Raises LabError."""
    images = {}
    for name, command in settings.items():
        words = command.split() if isinstance(command, str) else command
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise LabError(f"images.{name} in mizzen.yaml is not a command", "write it as a list of words")
        images[short_name(name)] = Image(tuple(words))
    return images
