"""``mizzen experimental workload group create`` (row IX-34)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import mesh_options, namespace_option

Json = dict[str, Any]


@click.group("group")
@mesh_options
def command() -> None:
    """Groups of machines that run the same program."""


@command.command("create")
@click.option("--name", required=True, help="The name of the group.")
@namespace_option
@click.option("-l", "--labels", multiple=True, metavar="K=V,…", help="Labels of its workloads.")
@click.option("-a", "--annotations", multiple=True, metavar="K=V,…", help="Annotations of its workloads.")
@click.option("-p", "--ports", multiple=True, metavar="NAME=PORT,…", help="Ports that they serve.")
@click.option("-s", "--serviceAccount", "account", default="default", help="Their service account.")
@click.option("--network", default="", help="The network that they are on.")
@click.option("--locality", default="", help="Where they are: region/zone/subzone.")
@click.option("-w", "--weight", type=click.IntRange(min=0), default=0, help="Their weight in load balancing.")
@mesh_options
def create(
    name: str,
    namespace: str | None,
    labels: tuple[str, ...],
    annotations: tuple[str, ...],
    ports: tuple[str, ...],
    account: str,
    network: str,
    locality: str,
    weight: int,
) -> None:
    """Print a WorkloadGroup, to be applied."""
    from mizzen.cli.output import emit, to_yaml

    template: Json = {
        "ports": {key: _number(key, value) for key, value in pairs(ports, "--ports").items()},
        "serviceAccount": account,
        "network": network,
        "locality": locality,
        "weight": weight,
    }
    metadata = {"labels": pairs(labels, "--labels"), "annotations": pairs(annotations, "--annotations")}
    spec: Json = {"template": {key: value for key, value in template.items() if value}}
    if said := {key: value for key, value in metadata.items() if value}:
        spec = {"metadata": said, **spec}
    document = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadGroup",
        "metadata": {"name": name, "namespace": namespace or "default"},
        "spec": spec,
    }
    _check(document)
    emit(to_yaml(document))


def pairs(texts: tuple[str, ...], flag: str) -> dict[str, str]:
    """``k=v,k=v`` of an option that may be given several times."""
    found = {}
    for part in (part for text in texts for part in text.split(",") if part):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{part!r} is not KEY=VALUE", param_hint=flag)
        found[key] = value
    return found


def _number(name: str, text: str) -> int:
    if not text.isdigit():
        raise click.BadParameter(f"{text!r} is no port number of {name!r}", param_hint="--ports")
    return int(text)


def _check(document: Json) -> None:
    """A group that would be refused is not printed. Raises Failure."""
    from mizzen.api.meta import Origin
    from mizzen.cli.failure import Failure
    from mizzen.cli.findings import as_json, has_error, show
    from mizzen.sources.config import judge
    from mizzen.sources.files import Document

    findings = [as_json(finding) for finding in judge(Document(document, Origin(""))).findings]
    show(findings)
    if has_error(findings):
        raise Failure("such a group is not valid; nothing was printed")
