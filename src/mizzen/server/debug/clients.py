"""Who is connected, and how far each is (rows DBG-03, DBG-07)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mizzen.model.resources import CLUSTER, ENDPOINT, EXTENSION_CONFIG, LISTENER, ROUTE, SECRET
from mizzen.server.hub import Connection
from mizzen.xds import TypeStatus

Json = dict[str, Any]
_PAIRS = {
    CLUSTER: "cluster",
    LISTENER: "listener",
    ROUTE: "route",
    ENDPOINT: "endpoint",
    EXTENSION_CONFIG: "extensionconfig",
}


def sync(connection: Connection) -> Json:
    """Istio's fields, without empty ones; ``node``, ``types`` and ``secrets`` are for our own command line."""
    status, node = connection.session.status(), connection.node
    version = node.version
    entry: Json = {
        "proxy": node.proxy_id,
        "node": node.id,
        "proxy_type": node.type.value,
        "cluster_id": str(node.metadata.get("CLUSTER_ID", "Kubernetes")),
        "istio_version": version,
        "version": version,
        "connected_at": connection.since,
        "types": {url: _type(connection, url, of) for url, of in status.items()},
        "resources": {url: _resource(connection, url, of) for url, of in status.items()},
    }
    if SECRET in status:
        entry["secrets"] = sorted(connection.session.versions().get(SECRET, {}))
    for url, short in _PAIRS.items():
        if url in status:
            entry[f"{short}_sent"], entry[f"{short}_acked"] = status[url].sent, status[url].acked
    return _filled(entry)


def client(connection: Connection) -> Json:
    """What ``adsz`` tells of one."""
    node = connection.node
    labels = node.metadata.get("LABELS")
    return {
        **brief(connection),
        "labels": labels if isinstance(labels, dict) else {},
        "metadata": node.metadata,
        "locality": {"region": node.locality.region, "zone": node.locality.zone, "subzone": node.locality.subzone},
        "proxyType": node.type.value,
        "watches": connection.session.watched(),
    }


def brief(connection: Connection) -> Json:
    """What ``connections`` tells of one."""
    node = connection.node
    return {"connectionId": node.id, "connectedAt": moment(connection.since), "address": node.address}


def moment(seconds: float) -> str:
    """RFC 3339, of Unix time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _type(connection: Connection, url: str, of: TypeStatus) -> Json:
    return {
        "sent_version": of.sent_version,
        "acked_version": of.acked_version,
        "status": of.state,
        "since": connection.moments.get(url, connection.since),
        "error": "\n".join(f"{name}: {reason}" for name, reason in of.errors.items()),
    }


def _resource(connection: Connection, url: str, of: TypeStatus) -> Json:
    sent = connection.sent.get(url)
    told = {"sent": of.sent, "acked": of.acked, "sentTime": moment(sent) if sent else ""}
    return _filled({**told, "lastError": "\n".join(of.errors.values())})


def _filled(entry: Json) -> Json:
    return {name: value for name, value in entry.items() if value != ""}
