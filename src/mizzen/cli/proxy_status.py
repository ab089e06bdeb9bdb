"""``mizzen proxy-status`` (row IX-09)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.options import mesh_options, namespace_option, output_option

if TYPE_CHECKING:
    from mizzen.cli.proxyconfig.dump import Dump

Json = dict[str, Any]

HEADER = ("NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES")

_SHORT = {
    "envoy.config.cluster.v3.Cluster": "CDS",
    "envoy.config.core.v3.TypedExtensionConfig": "ECDS",
    "envoy.config.endpoint.v3.ClusterLoadAssignment": "EDS",
    "envoy.config.listener.v3.Listener": "LDS",
    "envoy.config.route.v3.RouteConfiguration": "RDS",
    "envoy.extensions.transport_sockets.tls.v3.Secret": "SDS",
}
_ALWAYS = ("CDS", "ECDS", "EDS", "LDS", "RDS")
_ORDER = ("CDS", "LDS", "EDS", "RDS", "SDS", "ECDS")


def short_type(url: str) -> str:
    """``CDS`` for a cluster's type URL; other types by their last word."""
    name = url.rpartition("/")[2]
    return _SHORT.get(name, name.rpartition(".")[2])


def name_of(proxy: str) -> str:
    """``pod.namespace`` of the node id ``type~address~pod.namespace~domain``."""
    pieces = proxy.split("~")
    return pieces[2] if len(pieces) == 4 else proxy


def subscribed(entry: Json) -> str:
    """``4 (CDS,LDS,EDS,RDS)``, or ``0``."""
    types = sorted(
        {short_type(url) for url in entry.get("types") or {}}, key=lambda t: (_ORDER.index(t) if t in _ORDER else 99, t)
    )
    return f"{len(types)} ({','.join(types)})" if types else "0"


def brief(entries: Sequence[Json], istiod: str) -> list[tuple[str, ...]]:
    """The rows of the default table, by proxy id."""
    return [
        (
            name_of(entry["proxy"]),
            str(entry.get("cluster_id", "")),
            istiod,
            str(entry.get("version") or "unknown"),
            subscribed(entry),
        )
        for entry in sorted(entries, key=lambda entry: str(entry["proxy"]))
    ]


def verbose(entries: Sequence[Json], istiod: str, now: datetime) -> tuple[list[str], list[tuple[str, ...]]]:
    """(header, rows) with a column per type; five of them are always there, the others when somebody asked for them."""
    asked = {short_type(url) for entry in entries for url in entry.get("types") or {}}
    types = sorted(asked | set(_ALWAYS))
    rows = []
    for entry in sorted(entries, key=lambda entry: str(entry["proxy"])):
        states = {short_type(url): state for url, state in (entry.get("types") or {}).items()}
        cells = [_cell(states.get(name), now) for name in types]
        rows.append(
            (
                name_of(entry["proxy"]),
                str(entry.get("cluster_id", "")),
                *cells,
                istiod,
                str(entry.get("version") or "unknown"),
            )
        )
    return ["NAME", "CLUSTER", *types, "ISTIOD", "VERSION"], rows


def _cell(state: Json | None, now: datetime) -> str:
    if state is None:
        return "IGNORED"
    since = state.get("since") or state.get("acked_at") or state.get("sent_at")
    word = str(state.get("status", "NOT SENT"))
    if not since or word == "NOT SENT":
        return word
    then = datetime.fromtimestamp(since, UTC) if isinstance(since, int | float) else datetime.fromisoformat(str(since))
    from mizzen.cli.output import span

    return f"{word} ({span(int((now - then).total_seconds()))})"


def compare(what: str, wanted: dict[str, Json], held: dict[str, Json]) -> str:
    """``Clusters Match``, or ``Clusters Don't Match`` and a unified diff of what istiod wants and Envoy holds."""
    if wanted == held:
        return f"{what} Match"
    left, right = (json.dumps(side, indent=2, sort_keys=True).splitlines() for side in (wanted, held))
    diff = difflib.unified_diff(left, right, f"Istiod {what}", f"Envoy {what}", lineterm="")
    return f"{what} Don't Match\n" + "\n".join(diff)


def differences(resources: dict[str, dict[str, Json]], dump: Dump) -> list[str]:
    """Clusters, listeners and routes that the proxy holds from xDS, against what it ought to hold."""
    import base64

    from mizzen.model.resources import CLUSTER, LISTENER, ROUTE
    from mizzen.proto.shown import decoded

    def wanted(url: str) -> dict[str, Json]:
        return {
            name: decoded(url, base64.b64decode(entry["body"])) for name, entry in (resources.get(url) or {}).items()
        }

    def dynamic(part: str, entries: str, field: str) -> dict[str, Json]:
        found = [(entry.get("active_state") or entry) for entry in dump.part(part).get(entries) or []]
        held = [entry[field] for entry in found if field in entry]
        return {str(body.get("name", "")): {k: v for k, v in body.items() if k != "@type"} for body in held}

    routes = dump.part("RoutesConfigDump").get("dynamic_route_configs") or []
    held_routes = dynamic("RoutesConfigDump", "dynamic_route_configs", "route_config")
    loaded = max((str(entry.get("last_updated", "")) for entry in routes), default="")
    # Only the route tables that some listener uses are in Envoy.
    text = compare("Routes", {name: body for name, body in wanted(ROUTE).items() if name in held_routes}, held_routes)
    suffix = f" (RDS last loaded at {loaded})" if text == "Routes Match" and loaded else ""
    return [
        compare("Clusters", wanted(CLUSTER), dynamic("ClustersConfigDump", "dynamic_active_clusters", "cluster")),
        compare("Listeners", wanted(LISTENER), dynamic("ListenersConfigDump", "dynamic_listeners", "listener")),
        text + suffix,
    ]


@click.command("proxy-status")
@click.argument("proxy", required=False, metavar="[TYPE/]NAME[.NAMESPACE]")
@namespace_option
@click.option("-v", "--verbosity", type=int, default=0, metavar="N", help="1: a column per type, with its state.")
@output_option("table", "json", "yaml")
@mesh_options
def command(proxy: str | None, namespace: str | None, verbosity: int, output: str | None) -> None:
    """Show what each connected proxy is subscribed to; for one proxy, whether it holds what it ought to."""
    from mizzen.cli.connection import control_plane
    from mizzen.cli.output import emit, table, to_json, to_yaml

    if proxy:
        emit("\n".join(_one(proxy, namespace)))
        return
    entries = [e for e in control_plane().syncz() if not namespace or name_of(e["proxy"]).endswith(f".{namespace}")]
    if output in ("json", "yaml"):
        emit(to_json(entries) if output == "json" else to_yaml(entries))
        return
    istiod = _istiod()
    header, rows = (HEADER, brief(entries, istiod)) if verbosity < 1 else verbose(entries, istiod, datetime.now(UTC))
    emit(table(header, rows, gap=5))


def _istiod() -> str:
    """The name of the control plane's pod."""
    from mizzen.cli.connection import lab
    from mizzen.errors import LabError

    try:
        names = [
            pod["name"]
            for pod in lab().status()["pods"]
            if pod["namespace"] == "istio-system" and pod["name"].startswith("istiod")
        ]
    except LabError:
        names = []
    return str(names[0]) if names else "istiod"


def _one(proxy: str, namespace: str | None) -> list[str]:
    from mizzen.cli import targets
    from mizzen.cli.connection import control_plane, finder, lab
    from mizzen.cli.failure import Failure
    from mizzen.cli.proxyconfig.dump import Dump

    client = lab()
    space, name = targets.identify(targets.proxied_pods_of(proxy, namespace, finder(client))[0])
    plane = control_plane()
    found = next((entry["proxy"] for entry in plane.syncz() if name_of(entry["proxy"]) == f"{name}.{space}"), None)
    if found is None:
        raise Failure(
            f"the proxy of {name}.{space} is not connected to the control plane",
            hint=f"see why: `mizzen logs {name} -n {space} -c istio-proxy`",
        )
    return differences(plane.resources(found), Dump(json.loads(client.envoy(space, name, "/config_dump"))))
