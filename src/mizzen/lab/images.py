"""Which program stands for a container image: looked up by the last path component, without registry and tag."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mizzen.errors import LabError

PYTHON = "/opt/mizzen/bin/mizzen-python"
AGENT = "/usr/local/bin/pilot-agent"


class Image(Struct, frozen=True):
    """``entrypoint`` is what ``command`` of a container replaces, ``arguments`` what ``args`` replaces."""

    entrypoint: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}


def short_name(image: str) -> str:
    """``docker.io/istio/examples-bookinfo-details-v1:1.20@sha256:…`` is ``examples-bookinfo-details-v1``."""
    return image.rsplit("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]


def built_in(samples: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]]) -> dict[str, Image]:
    """Our own images and the sample programs, given as the interpreter's arguments and an environment."""
    images = {name: Image((PYTHON, *command), (), environment) for name, (command, environment) in samples.items()}
    sleep = Image(("/bin/sleep",), ("infinity",))
    for name in ("curl", "sleep", "pause"):
        images.setdefault(name, sleep)
    images["proxyv2"] = Image((AGENT,))
    return images


def from_settings(settings: Mapping[str, object]) -> dict[str, Image]:
    """``images:`` of mizzen.yaml: a name and the command as a list or a line of words. Raises LabError."""
    images = {}
    for name, command in settings.items():
        words = command.split() if isinstance(command, str) else command
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise LabError(f"images.{name} in mizzen.yaml is not a command", "write it as a list of words")
        images[short_name(name)] = Image(tuple(words))
    return images
