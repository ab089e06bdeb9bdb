"""Which words a case may use. A case with any other word is skipped, with that word named: it must never pass unread."""

import json
from pathlib import Path
from typing import Any

import yaml

Case = dict[str, Any]

CASE = frozenset(
    [
        "id",
        "area",
        "note",
        "note2",
        "src",
        "row",
        "config",
        "mesh",
        "calls",
        "then",
        "metric",
        "log",
        "envoy",
        "admission",
        "client_locality",
        "needs",
    ]
)
ENTRY = frozenset(("call", "expect", "note"))
CALL = frozenset(
    [
        "from",
        "url",
        "method",
        "headers",
        "host",
        "connect",
        "body",
        "count",
        "concurrency",
        "tls",
        "http2",
        "follow",
        "keep_cookies",
        "new_connection",
        "raw_path",
        "tcp",
        "address",
        "grpc",
        "dns",
        "proto",
        "server",
        "timeout",
        "greeted",
    ]
)
TLS = frozenset(["sni", "ca", "cert", "insecure", "alpn", "max_version"])
GRPC = frozenset(["address", "method", "message", "metadata", "headers"])
EXPECT = frozenset(
    [
        "status",
        "error",
        "grpc",
        "error_or_status",
        "some_status",
        "status_share",
        "status_count",
        "version",
        "service",
        "share",
        "tol",
        "services_seen",
        "saw",
        "saw_not",
        "saw_has_not",
        "resp",
        "resp_not",
        "path",
        "host",
        "method_seen",
        "protocol_seen",
        "sni_seen",
        "body_has",
        "location",
        "min_ms",
        "max_ms",
        "attempts",
        "attempt_pods_distinct",
        "same_pod",
        "pods",
        "mtls",
        "peer",
        "mirrored",
        "dns",
        "resp_flag",
        "alpn_seen",
        "server_tls",
        "local_port",
        "eventually",
    ]
)
STEP = frozenset(
    [
        "apply",
        "delete",
        "scale",
        "label",
        "probe",
        "rotate_jwks",
        "workload_cert_ttl_s",
        "for_s",
        "within_s",
        "call",
        "expect",
        "during",
        "note",
    ]
)
LOG = frozenset(("from", "has", "lacks"))
NEEDS = frozenset(("ext-authz server",))


def unknown(case: Case) -> list[str]:
    """Every word that is not of the vocabulary, with its place."""
    found = _beyond(case, CASE, "")
    for index, entry in enumerate(as_list(case.get("calls"))):
        found += _entry(entry, ENTRY, f"calls[{index}].")
    for index, step in enumerate(as_list(case.get("then"))):
        found += _entry(step, STEP, f"then[{index}].")
    for index, entry in enumerate(as_list(case.get("log"))):
        found += _beyond(entry, LOG, f"log[{index}].")
    needs = case.get("needs")
    found += [f"needs: {need}" for need in as_list(needs) if need not in NEEDS]
    if case.get("admission") not in (None, "rejected"):
        found.append(f"admission: {case['admission']}")
    return found


def _entry(entry: Any, words: frozenset[str], place: str) -> list[str]:
    found = _beyond(entry, words, place)
    if not isinstance(entry, dict):
        return found
    if (call := entry.get("call")) is not None:
        found += _beyond(call, CALL, f"{place}call.")
        if isinstance(call, dict):
            found += _beyond(call.get("tls", {}), TLS, f"{place}call.tls.") if call.get("tls") is not True else []
            found += _beyond(call.get("grpc", {}), GRPC, f"{place}call.grpc.")
    for name in ("expect", "during"):
        expect = entry.get(name)
        if expect is None:
            continue
        if name == "during" and isinstance(expect, dict) and "expect" in expect:
            found += _entry(expect, ENTRY, f"{place}during.")
            continue
        found += _beyond(expect, EXPECT, f"{place}{name}.")
        if isinstance(expect, dict) and "eventually" in expect:
            found += _beyond(expect["eventually"], EXPECT, f"{place}{name}.eventually.")
    return found


def _beyond(value: Any, words: frozenset[str], place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place.rstrip('.') or 'case'} (not a map)"]
    return [f"{place}{key}" for key in value if key not in words]


def as_list(value: Any) -> list[Any]:
    """One thing or several, as a list; nothing is none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def load(path: Path) -> list[Case]:
    """The cases of a JSON or YAML file, or of every such file of a directory. Raises ValueError when it holds none."""
    if path.is_dir():
        return [
            case for file in sorted(path.iterdir()) if file.suffix in (".json", ".yaml", ".yml") for case in load(file)
        ]
    text = path.read_text()
    data = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=yaml.CSafeLoader)
    if isinstance(data, dict):
        data = data.get("cases", [data])
    if not isinstance(data, list) or not all(isinstance(case, dict) for case in data):
        raise ValueError(f"{path.name}: a list of cases is needed")
    for number, case in enumerate(data):
        case.setdefault("id", f"{path.stem}-{number + 1}")
    return data
