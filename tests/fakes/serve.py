"""A control plane in a process of its own, so that it can be killed: ``serve DIRECTORY PORT RESOURCES.json``."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path

from mizzen.model.resources import Resource, ResourceSet
from mizzen.server.control import Ports
from tests.fakes.controlplane import control_plane, pod


def dump(resources: ResourceSet, path: Path) -> None:
    path.write_text(
        json.dumps(
            [
                [r.type_url, r.name, base64.b64encode(r.body).decode()]
                for of in resources.types.values()
                for r in of.values()
            ]
        )
    )


async def main(directory: Path, port: int, resources: Path) -> None:
    loaded = [Resource.of(url, name, base64.b64decode(body)) for url, name, body in json.loads(resources.read_text())]  # noqa: ASYNC240
    ports = Ports(secure=port, plaintext=0, monitoring=0, https=0, http=0)
    async with control_plane(
        directory, ports=ports, objects=(pod("default", "web-0"),), resources=ResourceSet.of(loaded)
    ):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
