"""The lab's settings, ``mizzen.yaml``: images, hosts, subnets, peers and the control plane's environment."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from mizzen.errors import LabError

Raw = dict[str, Any]
MESH_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")
_KEYS: dict[str, frozenset[str] | None] = {
    "images": None,
    "hosts": None,
    "subnets": frozenset({"network"}),
    "peers": frozenset({"meshes"}),
    "controlPlane": frozenset({"env"}),
    "controlplane": frozenset({"env"}),
}
"""The keys there are and, where they are fixed, the keys below each."""


def read(path: Path | None) -> Raw:
    """The settings at ``path``, none without one.

    Raises LabError when the file cannot be read, is no YAML or has a key that nothing would look at.
    """
    if path is None:
        return {}
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeError) as error:
        raise LabError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise LabError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    settings = _mapping(found, f"{path}")
    _known(settings, frozenset(_KEYS), f"{path}")
    for key in settings:
        settings[key] = _mapping(settings[key], f"{path}: {key}")
        below = _KEYS[key]
        if below is not None:
            _known(settings[key], below, f"{path}: {key}")
    return settings


def digest(settings: Raw) -> str:
    """Equal for equal settings, however their file is written; hexadecimal. Nothing of a value can be read from it."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def _mapping(value: object, where: str) -> Raw:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LabError(f"{where} must be a mapping", "see docs/how-to/run-your-own-programs.md")
    return {str(key): each for key, each in value.items()}


def _known(settings: Raw, names: frozenset[str], where: str) -> None:
    for key in settings:
        if key not in names:
            likely = difflib.get_close_matches(key, sorted(names), 1)
            hint = f"did you mean {likely[0]}?" if likely else f"there are: {', '.join(sorted(names))}"
            raise LabError(f"{where}: unknown setting {key!r}", hint)


def peers(settings: Raw) -> tuple[str, ...]:
    """The other meshes of this machine that may reach this one's Services, and the other way round, if both say so."""
    listed = (settings.get("peers") or {}).get("meshes") or ()
    if not isinstance(listed, list | tuple):
        raise LabError("peers.meshes must be a list of the names of meshes")
    for name in map(str, listed):
        if not MESH_NAME.fullmatch(name):
            raise LabError(f"peers.meshes: {name!r} is no name of a mesh: lower-case letters, digits and '-'")
    return tuple(dict.fromkeys(map(str, listed)))


def controlplane_environment(settings: Raw) -> dict[str, str]:
    """What mizzen.yaml adds to the control plane's environment."""
    chosen = (settings.get("controlPlane") or settings.get("controlplane") or {}).get("env") or {}
    return {str(name): str(value) for name, value in chosen.items()}
