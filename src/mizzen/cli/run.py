"""``mizzen run -- CMD``: a local process as a member of the mesh."""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.options import mesh_options, namespace_option, timeout_option

if TYPE_CHECKING:
    from mizzen.lab.client import LabClient

Json = dict[str, Any]

IMAGE = "pause"
CONTAINER = "app"
DIRECTORY = "directory"
SELECTOR = "run"
"""The label by which the Service finds its Pod, as `kubectl run` sets it; ``app`` may be the user's own."""

_PROTOCOLS = ("http", "http2", "https", "grpc", "grpc-web", "tcp", "tls", "mongo", "redis", "mysql")
_GONE_SECONDS = 10.0
_OWN_VARIABLES = ("SUDO_COMMAND", "SUDO_USER", "SUDO_UID", "SUDO_GID")


class Port(click.ParamType[tuple[int, str]]):
    """``8080`` or ``8080:http``: (number, protocol, empty when not said)."""

    name = "P[:PROTO]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        if isinstance(value, tuple):
            return value
        number, _, protocol = str(value).partition(":")
        if not number.isdigit() or not 0 < int(number) < 65536:
            self.fail(f"{number!r} is no port", param, ctx)
        if protocol and protocol.lower() not in _PROTOCOLS:
            self.fail(f"{protocol!r} is no protocol: {', '.join(_PROTOCOLS)}", param, ctx)
        return int(number), protocol.lower()


def default_name(command: Sequence[str]) -> str:
    """A name made of the command's own, in the alphabet of Kubernetes."""
    name = re.sub(r"[^a-z0-9]+", "-", os.path.basename(command[0]).lower()).strip("-")
    return name[:50].strip("-") or "process"


def documents(
    name: str,
    namespace: str,
    port: tuple[int, str] | None,
    labels: Mapping[str, str],
    own: Sequence[str] = (),
    cwd: str = "",
    env: Mapping[str, str] | None = None,
) -> list[Json]:
    """ServiceAccount, Pod and, with a port, Service.

    With ``own`` the pod runs that command; without, it only waits, and the command is run inside it by exec.
    """
    container, volumes = _container(own, cwd, env or {})
    all_labels = {"app": name, "sidecar.istio.io/inject": "true", **labels, SELECTOR: name}
    if port:
        container["ports"] = [{"containerPort": port[0], "protocol": "TCP"}]
    pod: Json = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": all_labels},
        "spec": {"serviceAccountName": name, "restartPolicy": "Never", "containers": [container], **volumes},
    }
    account: Json = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    if not own:
        # The process itself has ended when its pod is deleted: nothing is left that could drain.
        pod["spec"]["terminationGracePeriodSeconds"] = 1
    if not port:
        return [account, pod]
    number, protocol = port
    entry: Json = {
        "name": f"{protocol}-{number}" if protocol else f"port-{number}",
        "port": number,
        "targetPort": number,
        "protocol": "TCP",
    }
    if protocol:
        entry["appProtocol"] = protocol
    service: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"selector": {SELECTOR: name}, "ports": [entry]},
    }
    return [account, service, pod]


def _container(own: Sequence[str], cwd: str, env: Mapping[str, str]) -> tuple[Json, Json]:
    """The container, and the pod's volumes: the caller's directory itself, which a pod would see only a copy of."""
    container: Json = {"name": CONTAINER, "image": IMAGE}
    if own:
        container |= {
            "command": list(own),
            "workingDir": cwd,
            "env": [{"name": k, "value": v} for k, v in sorted(env.items())],
        }
    if os.path.normpath(cwd or "/").count("/") == 1:
        # `/`, `/tmp` or `/etc` is no place of the caller's own: the pod keeps its view of them.
        return container, {}
    container["volumeMounts"] = [{"name": DIRECTORY, "mountPath": cwd}]
    return container, {"volumes": [{"name": DIRECTORY, "hostPath": {"path": cwd}}]}


@click.command("run")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, required=True, metavar="-- CMD…")
@click.option("--name", metavar="N", help="The name of Pod, ServiceAccount and Service (default: the command's).")
@click.option("--port", type=Port(), help="The port that the process serves, such as 8080:http; makes a Service.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label of the Pod; repeatable.")
@click.option("-d", "--detach", is_flag=True, help="Return when the process is ready; `mizzen delete pod N` ends it.")
@namespace_option
@timeout_option("30s")
@mesh_options
def command(
    arguments: tuple[str, ...],
    name: str | None,
    port: tuple[int, str] | None,
    labels: tuple[str, ...],
    detach: bool,
    namespace: str | None,
    timeout: float,
) -> int:
    """Run a local process as a member of the mesh, in this directory and with this environment.

    Others reach it as Service N if it has a --port. When the process exits, all of it is gone, and the exit code is its own.
    """
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.output import emit
    from mizzen.errors import LabError

    space = namespace or "default"
    pairs = dict(_pair(label) for label in labels)
    env = {key: value for key, value in os.environ.items() if key not in _OWN_VARIABLES}
    client = lab()
    own: Sequence[str] = arguments if detach else ()
    try:
        chosen = name or _free_name(client, default_name(arguments), space)
        objects = documents(chosen, space, port, pairs, own, os.getcwd(), env)
        _create(client, objects, chosen, space)
        try:
            _until_ready(client, chosen, space, timeout)
            if detach:
                emit(f"pod/{chosen} created")
                return Exit.DONE
            _die_politely()
            return client.execute(space, chosen, CONTAINER, arguments, cwd=os.getcwd(), env=env)
        except BaseException:
            detach = False
            raise
        finally:
            if not detach:
                client.delete([_key(raw) for raw in reversed(objects)])
                _until_gone(client, chosen, space)
    except LabError as error:
        raise Failure(str(error), hint=error.hint, code=Exit.NOT_STARTED) from None
    except Failure as failure:
        failure.code = failure.code if failure.code is Exit.USAGE else Exit.NOT_STARTED
        raise


def _free_name(client: LabClient, wanted: str, namespace: str) -> str:
    """``wanted``, or it with the lowest number that makes it free: two callers may both run curl."""
    taken = {
        raw["metadata"]["name"] for kind in ("ServiceAccount", "Pod") for raw in client.objects(kind, namespace)[1]
    }
    names = (f"{wanted}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], names) if name not in taken)


def _pair(text: str) -> tuple[str, str]:
    from mizzen.cli.failure import Exit, Failure

    key, sign, value = text.partition("=")
    if not sign or not key:
        raise Failure(f"{text!r} is not KEY=VALUE", code=Exit.USAGE)
    return key, value


def _key(raw: Json) -> Json:
    return {"kind": raw["kind"], "namespace": raw["metadata"]["namespace"], "name": raw["metadata"]["name"]}


def _create(client: LabClient, objects: Sequence[Json], name: str, namespace: str) -> None:
    """Apply the objects; refuses when one of that name exists, because ending this process would delete it."""
    from mizzen.cli.changes import refused
    from mizzen.cli.failure import Failure
    from mizzen.cli.findings import show

    for raw in objects:
        if client.objects(raw["kind"], namespace, name)[1]:
            raise Failure(
                f"there is a {raw['kind']} {name} in namespace {namespace} already", hint="choose another with --name"
            )
    results = client.apply([{"object": raw, "origin": None} for raw in objects], atomic=True)["results"]
    if refused(results):
        show(finding for result in results for finding in result.get("findings") or [])
        raise Failure("the process could not join the mesh: an object was refused")


def _until_ready(client: LabClient, name: str, namespace: str, timeout: float) -> None:
    import time

    from mizzen.cli import targets
    from mizzen.cli.columns import pod_status
    from mizzen.cli.failure import Failure

    deadline = time.monotonic() + timeout
    while True:
        pods = client.objects("Pod", namespace, name)[1]
        if pods and targets.is_ready(pods[0]):
            return
        if time.monotonic() > deadline:
            state = pod_status(pods[0]) if pods else "gone"
            raise Failure(
                f"the pod {name} was not ready in time: {state}",
                hint="see `mizzen logs` of istiod, or give a longer --timeout",
            )
        # Answers as soon as the whole mesh is ready, else after a fifth of a second.
        client.ready(0.2)
        time.sleep(0.02)


def _until_gone(client: LabClient, name: str, namespace: str) -> None:
    """Return when the name is free again, so that the same command can follow at once."""
    import time

    deadline = time.monotonic() + _GONE_SECONDS
    while client.objects("Pod", namespace, name)[1] and time.monotonic() < deadline:
        time.sleep(0.02)


def _die_politely() -> None:
    """SIGTERM and SIGHUP end us like Ctrl-C does, so that the objects are deleted."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
