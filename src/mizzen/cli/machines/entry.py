"""``mizzen experimental workload entry configure`` (rows IX-34, VM-01)."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.failure import Exit, Failure
from mizzen.cli.options import Seconds, mesh_options, namespace_option

if TYPE_CHECKING:
    from mizzen.api.mesh_config import MeshConfig
    from mizzen.api.meta import Object
    from mizzen.lab.client import LabClient

Json = dict[str, Any]
GATEWAY = "istio-eastwestgateway"


@click.group("entry")
@mesh_options
def command() -> None:
    """Single machines."""


@command.command("configure")
@click.option("-f", "--file", "path", help="A file with the WorkloadGroup (`-` for standard input).")
@click.option("--name", default="", help="The WorkloadGroup, when no file is given.")
@namespace_option
@click.option("-o", "--output", "directory", required=True, type=click.Path(file_okay=False), help="Where to write.")
@click.option("--clusterID", "cluster_id", default="Kubernetes", help="The cluster whose registry the machine is in.")
@click.option("--ingressService", "ingress", default=GATEWAY, help="The gateway that leads to the control plane.")
@click.option("--ingressIP", "ingress_ip", default="", help="Its address, where it cannot be found out.")
@click.option("--internalIP", "internal_ip", default="", help="The machine's address in its own network.")
@click.option("--externalIP", "external_ip", default="", help="The machine's address as others see it.")
@click.option("--autoregister", "register", is_flag=True, help="Let the machine register itself.")
@click.option("--capture-dns/--no-capture-dns", default=True, help="Answer the machine's DNS questions.")
@click.option("--tokenDuration", "life", type=Seconds(), default="1h", help="How long the token is good for.")
@click.option("-r", "--revision", default="", help="The control plane's revision.")
@mesh_options
def configure(
    path: str | None,
    name: str,
    namespace: str | None,
    directory: str,
    cluster_id: str,
    ingress: str,
    ingress_ip: str,
    internal_ip: str,
    external_ip: str,
    register: bool,
    capture_dns: bool,
    life: float,
    revision: str,
) -> None:
    """Write cluster.env, mesh.yaml, root-cert.pem, istio-token and hosts for a machine of a WorkloadGroup.

    The token is the machine's first proof of who it is: keep the directory to yourself.
    """
    from mizzen.cli.connection import lab
    from mizzen.cli.output import note, to_yaml
    from mizzen.inject.machine import MachineOptions, account_of, machine_files

    for flag, address in (("--ingressIP", ingress_ip), ("--internalIP", internal_ip), ("--externalIP", external_ip)):
        _address(flag, address)
    if life < 1:
        raise click.BadParameter("at least a second is needed", param_hint="--tokenDuration")
    client = lab()
    group = _group(client, path, name, namespace)
    options = MachineOptions(
        cluster_id=cluster_id,
        revision=revision,
        ingress_ip=ingress_ip or _ingress(client, ingress),
        internal_ip=internal_ip,
        external_ip=external_ip,
        register=register,
        capture_dns=capture_dns,
    )
    try:
        files = machine_files(group, _mesh(client), options)
    except ValueError as error:
        raise Failure(f"WorkloadGroup {group.namespace}/{group.name}: {error}") from None
    token = client.token(group.namespace, account_of(group), "istio-ca", round(life))
    roots = _roots(client, group.namespace)
    if not files.hosts:
        note(f"the address of {ingress} is not known: the file hosts is empty (say it with --ingressIP)")
    texts = {
        "cluster.env": files.cluster_env,
        "mesh.yaml": to_yaml(files.mesh) + "\n",
        "root-cert.pem": roots,
        "istio-token": token,
        "hosts": files.hosts,
    }
    target = Path(directory)
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file, text in texts.items():
            _write(target / file, text)
    except OSError as error:
        raise Failure(f"the files cannot be written: {error}", hint="choose another directory with -o") from None
    note(f"wrote {', '.join(texts)} to {target}")


def _address(flag: str, text: str) -> None:
    try:
        if text:
            ipaddress.ip_address(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no address", param_hint=flag) from None


def _group(client: LabClient, path: str | None, name: str, namespace: str | None) -> Object:
    """The group of the file, else of the mesh. Raises Failure when there is none, or it is not valid."""
    from mizzen.api.meta import Origin
    from mizzen.cli import documents
    from mizzen.cli.findings import as_json, has_error, show
    from mizzen.sources.config import judge
    from mizzen.sources.files import Document

    if bool(path) == bool(name):
        raise Failure("say which WorkloadGroup: with -f, or with --name", code=Exit.USAGE)
    if path:
        found = [raw for raw in documents.read((path,), namespace).objects if raw.get("kind") == "WorkloadGroup"]
    else:
        found = client.objects("WorkloadGroup", namespace or "default", name)[1]
    if len(found) != 1:
        where = path or f"namespace {namespace or 'default'}"
        raise Failure(f"{'no' if not found else 'more than one'} WorkloadGroup in {where}")
    judged = judge(Document(found[0], Origin(path or "")))
    findings = [as_json(finding) for finding in judged.findings]
    show(findings)
    if has_error(findings) or judged.object is None:
        raise Failure("the WorkloadGroup is not valid; nothing was written")
    return judged.object


def _mesh(client: LabClient) -> MeshConfig:
    """The mesh config in force. A bad field of it keeps its default, as it does in the control plane."""
    from mizzen.api.decode import decode
    from mizzen.api.kubernetes import ConfigMap
    from mizzen.sources.mesh import read_mesh

    raws = client.objects("ConfigMap", "istio-system", "istio")[1]
    found = decode(raws[0]).object if raws else None
    return read_mesh(found.body if found is not None else ConfigMap()).config


def _ingress(client: LabClient, service: str) -> str:
    """Where machines reach the control plane: the load balancer of a gateway; without one the control plane's own
    Service, which every machine of the lab reaches. Empty for a load balancer that has only a name."""
    name, _, namespace = service.partition(".")
    found = client.objects("Service", namespace or "istio-system", name)[1]
    if not found:
        own = client.objects("Service", "istio-system", "istiod")[1]
        return str((own[0].get("spec") or {}).get("clusterIP") or "") if own else ""
    entries = ((found[0].get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    return str(entries[0].get("ip") or "")


def _roots(client: LabClient, namespace: str) -> str:
    for place in (namespace, "istio-system"):
        for found in client.objects("ConfigMap", place, "istio-ca-root-cert")[1]:
            if text := str((found.get("data") or {}).get("root-cert.pem") or ""):
                return text
    raise Failure("the mesh has no root certificate yet", hint="wait until it is ready: `mizzen up`")


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone, from the first moment."""
    fresh = path.with_name(f".{path.name}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
