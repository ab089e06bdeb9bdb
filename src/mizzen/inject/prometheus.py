"""One scrape address for proxy and app: the pod's own scrape annotations move into the agent's environment (row IP-14)."""

from __future__ import annotations

import json
import re

from mizzen.inject.settings import InjectSettings
from mizzen.model.annotations import BOOLEANS

TARGETS = "prometheus.istio.io/scrape-targets"
MERGE = "prometheus.istio.io/merge-metrics"
RESERVED = frozenset({15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090})
_KEYS = {"prometheus_io_scrape": "scrape", "prometheus_io_path": "path", "prometheus_io_port": "port"}


def merged(annotations: dict[str, str], settings: InjectSettings, port: int) -> tuple[dict[str, str], str | None]:
    """The annotations after merging, and ISTIO_PROMETHEUS_ANNOTATIONS, or None when the app is not to be scraped.

    Raises ValueError when the app's metrics port is one of the proxy's own.
    """
    wanted = BOOLEANS[annotations[MERGE]] if MERGE in annotations else settings.mesh.enable_prometheus_merge
    own = {_KEYS[key]: value for name, value in annotations.items() if (key := _sanitized(name)) in _KEYS}
    targets = annotations.get(TARGETS, "")
    if not wanted or port == 0 or own.get("scrape") == "false" or own.get("port") == str(port):
        return annotations, None
    _check(own.get("port", ""), targets, port)
    scrape = None
    if own or targets:
        fields = {
            "scrape": own.get("scrape", ""),
            "path": own.get("path", ""),
            "port": own.get("port", ""),
            "targets": targets,
        }
        scrape = json.dumps(fields, separators=(",", ":"))
    rest = {name: value for name, value in annotations.items() if _sanitized(name) not in _KEYS}
    rest |= {"prometheus.io/scrape": "true", "prometheus.io/port": str(port), "prometheus.io/path": "/stats/prometheus"}
    return rest, scrape


def _sanitized(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _check(port: str, targets: str, status_port: int) -> None:
    ports = [port] if port else []
    ports += [part.partition(":")[0].strip() for part in targets.split(",") if part.strip()]
    for text in ports:
        if not text.isdigit():
            raise ValueError(f"{text!r} is not a port")
        if int(text) in RESERVED | {status_port}:
            raise ValueError(f"port {text} belongs to the proxy; scraping it would loop")
