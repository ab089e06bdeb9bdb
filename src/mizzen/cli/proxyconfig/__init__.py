"""``mizzen proxy-config``: one file per table, each over the same config dump."""

from __future__ import annotations

from mizzen.cli.lazy import LazyGroup
from mizzen.cli.options import mesh_options

PARTS = {
    "all": ("mizzen.cli.proxyconfig.everything", "Every table in turn."),
    "clusters": ("mizzen.cli.proxyconfig.clusters", "Where the proxy can send requests."),
    "listeners": (
        "mizzen.cli.proxyconfig.listeners",
        "Where the proxy takes connections, and what it matches them by.",
    ),
    "routes": ("mizzen.cli.proxyconfig.routes", "How the proxy chooses a cluster for a request."),
    "endpoints": ("mizzen.cli.proxyconfig.endpoints", "The addresses behind the clusters, and their health."),
    "secrets": ("mizzen.cli.proxyconfig.secrets", "The proxy's certificates and roots."),
    "ecds": ("mizzen.cli.proxyconfig.ecds", "Extension configurations that the proxy fetched by name."),
    "patches": ("mizzen.cli.proxyconfig.patches", "What became of each EnvoyFilter patch at the proxy."),
    "bootstrap": ("mizzen.cli.proxyconfig.bootstrap", "What the proxy was started with."),
    "log": ("mizzen.cli.proxyconfig.log", "Show or set the proxy's log levels."),
}

# Row IC-04.
ALIASES = {
    "a": "all",
    "b": "bootstrap",
    "o": "log",
    "cluster": "clusters",
    "c": "clusters",
    "listener": "listeners",
    "l": "listeners",
    "route": "routes",
    "r": "routes",
    "endpoint": "endpoints",
    "ep": "endpoints",
    "secret": "secrets",
    "s": "secrets",
    "ec": "ecds",
}

command = mesh_options(
    LazyGroup(
        "proxy-config",
        commands_at=PARTS,
        aliases=ALIASES,
        help="Show the configuration of a proxy: of a running one, or with -f of the one that files would make.",
    )
)
