"""``mizzen kube-inject -f PATH`` (row IX-08)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.options import files_option, mesh_options

if TYPE_CHECKING:
    from mizzen.model.config import Config

Json = dict[str, Any]


@click.command("kube-inject")
@files_option(required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file (default: standard output).")
@click.option(
    "--meshConfigFile",
    "--mesh-config-file",
    "mesh_file",
    type=click.Path(exists=True, dir_okay=False),
    help="MeshConfig to use.",
)
@click.option("-r", "--revision", default="default", help="The control plane's revision.")
@mesh_options
def command(paths: tuple[str, ...], output: str | None, mesh_file: str | None, revision: str) -> int:
    """Print the files with the sidecar added to every workload in them; nothing else changes.

    MeshConfig comes from --meshConfigFile, else from the ConfigMap istio-system/istio if the files hold it.
    """
    from mizzen import inject
    from mizzen.cli import documents
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.findings import as_json, has_error, show
    from mizzen.cli.output import emit, to_yaml

    read = documents.read_as_written(paths)
    show(read.findings)
    if has_error(read.findings):
        raise Failure("a file could not be read; nothing was printed")
    found = _config(read.objects, mesh_file)
    objects = tuple(found.of("ProxyConfig").values())
    settings = inject.InjectSettings(mesh=found.mesh, proxy_configs=objects, revision=revision)
    done = [inject.workload(raw, settings) for raw in read.objects]
    show(as_json(finding) for one in done for finding in (*one.warnings, *one.errors))
    text = "\n---\n".join(to_yaml(one.document) for one in done)
    if output:
        Path(output).write_text(text + "\n")
    else:
        emit(text)
    return Exit.ERROR if any(one.errors for one in done) else Exit.DONE


def _config(objects: list[Json], file: str | None) -> Config:
    """The MeshConfig and ProxyConfig objects to inject with; what is wrong is told on stderr, and defaults stand in."""
    from mizzen.api.meta import Origin
    from mizzen.cli.findings import as_json, show
    from mizzen.sources import config
    from mizzen.sources.files import Document

    raws = [(raw, "") for raw in objects if raw.get("kind") in ("ConfigMap", "ProxyConfig")]
    if file:
        raws = [(raw, origin) for raw, origin in raws if raw.get("kind") == "ProxyConfig"]
        metadata = {"name": "istio", "namespace": "istio-system"}
        raws += [
            (
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": metadata,
                    "data": {"mesh": Path(file).read_text()},
                },
                file,
            )
        ]
    found = config.config_of([Document(raw, Origin(origin)) for raw, origin in raws])
    show(as_json(finding) for finding in found.findings)
    return found
