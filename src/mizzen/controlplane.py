"""The control plane, wired: the supervisor's objects, the pure core, the servers.

Read this first: configuration comes from ``sources``, ``resolve`` and ``translate`` turn it into resources, and
``server`` hands these out.
"""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

from mizzen.model.config import Config
from mizzen.model.remote import KINDS
from mizzen.model.snapshot import Snapshot
from mizzen.observe import configure_logs
from mizzen.resolve import build, plugins, stages, view
from mizzen.server.control import Options, control
from mizzen.server.hub import Compiler
from mizzen.settings import Settings
from mizzen.sources.lab import watch
from mizzen.sources.lab_entries import LabEntries
from mizzen.sources.mesh import map_names
from mizzen.sources.remote import with_remotes
from mizzen.sources.selection import Selection
from mizzen.translate import resources
from mizzen.translate.memo import Memo

__all__ = ["Options", "compiler", "run"]


def compiler() -> Compiler:
    """The pure core, with one memo for the life of the process."""
    memo = Memo()

    def begin(config: Config, previous: Snapshot | None) -> Snapshot:
        memo.turn()
        return build(config, previous)

    return Compiler(begin, view, lambda of: resources(of, memo), stages, plugins)


def run(options: Options) -> None:
    """Until SIGTERM or SIGINT. Raises MeshError when it cannot start."""
    configure_logs()
    settings = Settings.of(os.environ)
    settings = replace(settings, features=replace(settings.features, authorization=options.authorization))
    asyncio.run(_run(options, settings))


async def _run(options: Options, settings: Settings) -> None:
    stop = asyncio.Event()
    maps = map_names(settings.revision, settings.shared_mesh_config)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    selection = Selection(settings.revision, settings.ignored_resources, settings.included_resources)
    configs = watch(
        options.socket,
        cluster_id=settings.cluster_id,
        mesh_maps=maps,
        environment=os.environ,
        selection=selection,
    )
    configs = with_remotes(
        configs,
        namespace=settings.namespace,
        allowed=frozenset(settings.insecure_kubeconfig),
        kinds=tuple(kind for kind in KINDS if settings.remote_entries or kind != "WorkloadEntry"),
        timeout=settings.remote_timeout.total_seconds(),
    )
    await control(options, settings, compiler(), configs, stop, entries=LabEntries(options.socket))
