"""``proxy-config listeners`` (row IX-11)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig.dump import Dump
from mizzen.cli.proxyconfig.source import proxy_of, proxy_options, show

Json = dict[str, Any]

HEADER = ("ADDRESSES", "PORT", "MATCH", "DESTINATION")
HEADER_BRIEF = ("ADDRESSES", "PORT", "TYPE")

_HTTP = "HttpConnectionManager"
_TCP = "TcpProxy"
_BLACK_HOLE = "BlackHoleCluster"


def addresses(listener: Json) -> list[str]:
    """The listener's addresses, the first one and the additional ones."""
    first = (listener.get("address") or {}).get("socket_address") or {}
    more = [
        (entry.get("address") or {}).get("socket_address") or {} for entry in listener.get("additional_addresses") or []
    ]
    return [str(address.get("address", "")) for address in (first, *more)]


def port(listener: Json) -> int:
    return int(((listener.get("address") or {}).get("socket_address") or {}).get("port_value", 0))


def chains(listener: Json) -> list[Json]:
    """The filter chains, the default one last."""
    last = listener.get("default_filter_chain")
    return [*(listener.get("filter_chains") or []), *([last] if last else [])]


def kind(listener: Json) -> str:
    """``HTTP``, ``TCP``, ``HTTP+TCP`` or ``UNKNOWN``; a chain that only refuses counts as nothing."""
    configs = [f.get("typed_config") or {} for chain in chains(listener) for f in chain.get("filters") or []]
    http = any(_is(config, _HTTP) for config in configs)
    tcp = any(_is(config, _TCP) and _tcp_cluster(config) != _BLACK_HOLE for config in configs)
    return {(True, True): "HTTP+TCP", (True, False): "HTTP", (False, True): "TCP"}.get((http, tcp), "UNKNOWN")


def _is(config: Json, message: str) -> bool:
    return str(config.get("@type", "")).endswith("." + message)


def match_text(chain: Json) -> str:
    """What a chain matches by; ``ALL`` when by nothing that the table shows."""
    match = chain.get("filter_chain_match") or {}
    texts = []
    if match.get("server_names"):
        texts.append("SNI: " + ",".join(match["server_names"]))
    if match.get("transport_protocol"):
        texts.append(f"Trans: {match['transport_protocol']}")
    if match.get("application_protocols"):
        texts.append("App: " + ",".join(match["application_protocols"]))
    port_text = f":{match['destination_port']}" if match.get("destination_port") is not None else ""
    ranges = [
        f"{entry.get('address_prefix')}/{entry.get('prefix_len', 0)}" for entry in match.get("prefix_ranges") or []
    ]
    if ranges or port_text:
        texts.append(f"Addr: {','.join(ranges) or '*'}{port_text}")
    return "; ".join(texts) or "ALL"


def destination(chain: Json) -> str:
    """Where a chain leads: a named route table, inline routes, or a cluster."""
    for network_filter in chain.get("filters") or []:
        config = network_filter.get("typed_config") or {}
        if _is(config, _HTTP):
            return _http_destination(config)
        if _is(config, _TCP) and _tcp_cluster(config) != _BLACK_HOLE:
            return _cluster(_tcp_cluster(config))
    return "Non-HTTP/Non-TCP"


def _tcp_cluster(config: Json) -> str:
    weighted = (config.get("weighted_clusters") or {}).get("clusters") or []
    return str(config.get("cluster") or ",".join(str(entry.get("name")) for entry in weighted))


def _cluster(name: str) -> str:
    return name if "Cluster" in name else f"Cluster: {name}"


def _http_destination(config: Json) -> str:
    if "route_config" in config:
        return _inline(config["route_config"])
    name = (config.get("rds") or {}).get("route_config_name")
    return f"Route: {name}" if name else "HTTP"


def _inline(routes: Json) -> str:
    hosts = routes.get("virtual_hosts") or []
    if len(hosts) == 1 and hosts[0].get("domains") == ["*"] and len(hosts[0].get("routes") or []) == 1:
        only = hosts[0]["routes"][0]
        cluster = (only.get("route") or {}).get("cluster")
        if cluster and (only.get("match") or {}).get("prefix") == "/":
            return _cluster(str(cluster))
    described = []
    for host in hosts:
        domains = "" if host.get("domains") == ["*"] else "/".join(host.get("domains") or [])
        paths = ", ".join(path_text(route.get("match") or {}) for route in host.get("routes") or [])
        described.append(f"{domains} {paths}".strip())
    return "Inline Route: " + "; ".join(described)


def path_text(match: Json) -> str:
    """The path of a route's match: ``/api*`` a prefix, ``/api`` a whole path, ``regex …``."""
    texts = []
    if match.get("prefix"):
        texts.append(f"{match['prefix']}*")
    if match.get("path_separated_prefix"):
        texts.append(f"PathPrefix:{match['path_separated_prefix']}")
    if match.get("path"):
        texts.append(str(match["path"]))
    if match.get("safe_regex"):
        texts.append(f"regex {match['safe_regex'].get('regex', '')}")
    return " ".join(texts)


def select(dump: Dump, address: str, wanted_port: int | None, wanted_kind: str) -> list[Json]:
    """The listeners that pass the filters, by port, address and type."""
    found = [
        listener
        for listener in dump.listeners()
        if (not address or address.lower() in (own.lower() for own in addresses(listener)))
        and (wanted_port is None or port(listener) == wanted_port)
        and (not wanted_kind or kind(listener).lower() == wanted_kind.lower())
    ]
    return sorted(found, key=lambda listener: (port(listener), addresses(listener)[0], kind(listener)))


def rows(listeners: list[Json], verbose: bool) -> list[tuple[str, ...]]:
    result: list[tuple[str, ...]] = []
    for listener in listeners:
        head = (",".join(addresses(listener)), str(port(listener)))
        if not verbose:
            result.append((*head, kind(listener)))
            continue
        matches = [(match_text(chain), destination(chain)) for chain in chains(listener)]
        result.extend((*head, *match) for match in sorted(matches, key=lambda match: match[1], reverse=True))
    return result


@click.command("listeners")
@proxy_options
@output_option("json", "yaml", "short")
@click.option("--address", default="", help="Only listeners on this address.")
@click.option("--port", "wanted_port", type=int, help="Only listeners on this port.")
@click.option("--type", "wanted_kind", default="", help="Only listeners of this type: HTTP, TCP, HTTP+TCP.")
@click.option("--verbose", type=bool, default=True, help="One row per match (default), or one per listener.")
def command(
    proxy: str | None,
    namespace: str | None,
    paths: tuple[str, ...],
    output: str | None,
    address: str,
    wanted_port: int | None,
    wanted_kind: str,
    verbose: bool,
) -> None:
    """Where the proxy takes connections, and what it matches them by."""
    from mizzen.cli.output import table

    found = select(proxy_of(proxy, namespace, paths).dump(), address, wanted_port, wanted_kind)
    show(found, output, lambda: table(HEADER if verbose else HEADER_BRIEF, rows(found, verbose), gap=1))
