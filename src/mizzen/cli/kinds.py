"""Kinds by any spelling that kubectl takes, and ``type/name[.namespace]`` (row IC-03)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mizzen.api.kinds import KINDS, KindInfo, find_kind
from mizzen.cli.failure import Exit, Failure

ALL = ("Pod", "Service", "Deployment", "ReplicaSet", "StatefulSet", "Job")
"""What kubectl means by ``all``."""

WORKLOADS = ("Deployment", "StatefulSet", "ReplicaSet", "DaemonSet", "Job")
SCALABLE = ("Deployment", "StatefulSet", "ReplicaSet")


class Named(NamedTuple):
    """One object that the user named; ``namespace`` is empty when not said, ``name`` when all are meant."""

    kind: KindInfo
    name: str
    namespace: str = ""


def kind_of(word: str) -> KindInfo:
    """The kind that ``word`` spells: ``vs``, ``virtualservice``, ``virtualservices.networking.istio.io``, … Raises Failure."""
    found = find_kind(word)
    if found is None:
        raise Failure(
            f"there is no kind {word!r}",
            hint="`mizzen get --help` names some; singular, plural and short names are understood",
            code=Exit.ERROR,
        )
    return found


def kinds_of(words: str) -> list[KindInfo]:
    """``vs,dr`` or ``all``. Raises Failure."""
    if words == "all":
        return [KINDS[key] for key in ALL]
    return [kind_of(word) for word in words.split(",") if word]


def group_suffix(info: KindInfo) -> str:
    """``.networking.istio.io``; empty for Kubernetes' core group."""
    return f".{info.group}" if info.group else ""


def singular(info: KindInfo) -> str:
    """How kubectl names the type of one object in a message: ``virtualservice.networking.istio.io``."""
    return f"{info.singular}{group_suffix(info)}"


def plural(info: KindInfo) -> str:
    return f"{info.plural}{group_suffix(info)}"


def named(arguments: Sequence[str]) -> list[Named]:
    """kubectl's two forms: ``KIND NAME…`` (a list of kinds without names means all), or ``KIND/NAME…``. Raises Failure."""
    if not arguments:
        return []
    if any("/" in word for word in arguments):
        if not all("/" in word for word in arguments):
            raise Failure("write either KIND NAME… or KIND/NAME…, not both", code=Exit.USAGE)
        return [_slashed(word) for word in arguments]
    kinds, names = kinds_of(arguments[0]), arguments[1:]
    if not names:
        return [Named(kind, "") for kind in kinds]
    return [Named(kind, name) for kind in kinds for name in names]


def _slashed(word: str) -> Named:
    kind, _, name = word.partition("/")
    if not kind or not name:
        raise Failure(f"{word!r} is not KIND/NAME", code=Exit.USAGE)
    return Named(kind_of(kind), name)
