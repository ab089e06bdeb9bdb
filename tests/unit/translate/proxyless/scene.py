"""What a gRPC application in the pod ``web-0`` of the shop gets."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mizzen.model.resources import ResourceSet
from mizzen.resolve import view
from mizzen.translate import resources
from tests.scenes import Scene


def made(text: str = "", **mesh: Any) -> ResourceSet:
    scene = Scene(text, **mesh)
    return resources(view(scene.snapshot, replace(scene.proxy(), flags={"GENERATOR": "grpc"})))
