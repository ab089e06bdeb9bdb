"""Where a table's data comes from: a running proxy, a saved dump, or files through the pure core."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from mizzen.cli.options import files_option, mesh_options, namespace_option
from mizzen.cli.proxyconfig.dump import Dump

Json = dict[str, Any]
Function = TypeVar("Function", bound=Callable[..., Any])


class Proxy:
    """One proxy, asked lazily: for its config dump, its ``/clusters`` and its bootstrap."""

    def __init__(self, dump: Callable[[bool], Json], clusters: Callable[[], Json]) -> None:
        self._dump = dump
        self._clusters = clusters

    def dump(self, endpoints: bool = False) -> Dump:
        """With ``endpoints`` also the EndpointsConfigDump, which Envoy leaves out unless asked."""
        return Dump(self._dump(endpoints))

    def clusters(self) -> Json:
        """The message ``envoy.admin.v3.Clusters``."""
        return self._clusters()


def proxy_options(function: Function) -> Function:
    """What every table takes: the proxy's name, ``-n``, and ``-f`` for files or a saved dump."""
    function = mesh_options(function)
    function = files_option(text="Answer for files, without a mesh; or a saved config dump (JSON).")(function)
    function = namespace_option(function)
    return click.argument("proxy", required=False, metavar="[TYPE/]NAME[.NAMESPACE]")(function)


def proxy_of(name: str | None, namespace: str | None, paths: Sequence[str]) -> Proxy:
    """The proxy that the arguments mean. Raises Failure."""
    from mizzen.cli.failure import Exit, Failure

    saved = _saved(paths)
    if saved is not None:
        if name:
            raise Failure("name a proxy or give a saved dump with -f, not both", code=Exit.USAGE)
        return _of_saved(saved)
    if name is None:
        raise Failure(
            "name a proxy, such as deploy/productpage-v1 or istio-ingressgateway.istio-system", code=Exit.USAGE
        )
    if paths:
        from mizzen.cli import offline

        answer = offline.Proxies(paths, namespace).answer(name, namespace)
        return Proxy(lambda _endpoints: answer.config_dump(), answer.clusters)
    return _online(name, namespace)


def _online(name: str, namespace: str | None) -> Proxy:
    from mizzen.cli import targets
    from mizzen.cli.connection import finder, lab

    client = lab()
    space, pod = targets.identify(targets.proxied_pods_of(name, namespace, finder(client))[0])
    return Proxy(
        lambda endpoints: json.loads(client.envoy(space, pod, f"/config_dump{'?include_eds' if endpoints else ''}")),
        lambda: json.loads(client.envoy(space, pod, "/clusters?format=json")),
    )


def _saved(paths: Sequence[str]) -> Json | None:
    """A saved ``/config_dump`` or ``/clusters?format=json``, if that is what the one path holds."""
    if len(paths) != 1 or not paths[0].endswith(".json"):
        return None
    try:
        document = json.loads(Path(paths[0]).read_text())
    except (OSError, ValueError):
        return None
    return (
        document if isinstance(document, dict) and ("configs" in document or "cluster_statuses" in document) else None
    )


def _of_saved(saved: Json) -> Proxy:
    from mizzen.cli.failure import Failure

    def part(key: str, what: str) -> Json:
        if key not in saved:
            raise Failure(
                f"this dump is no {what}",
                hint=f"save one with `mizzen proxy-config {'endpoints' if key != 'configs' else 'all'} POD -o json`",
            )
        return saved

    return Proxy(
        lambda _endpoints: part("configs", "config dump"),
        lambda: part("cluster_statuses", "answer of /clusters?format=json"),
    )


def show(items: Any, output: str | None, text: Callable[[], str]) -> None:
    """Print ``items`` as JSON or YAML, or the table that ``text`` makes."""
    from mizzen.cli.output import emit, to_json, to_yaml

    if output in ("json", "yaml"):
        emit(to_json(items) if output == "json" else to_yaml(items))
    else:
        emit(text())
