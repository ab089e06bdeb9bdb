"""Does Envoy's configuration say what was asked for? Compared by meaning: Envoy's dump leaves out whatever is the default."""

import re
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from google.protobuf import json_format


def complete(cluster: dict[str, Any]) -> dict[str, Any]:
    """The cluster of a dump with the defaults that the dump leaves out (``ROUND_ROBIN``, false, 0); as it is when it cannot be read."""
    try:
        message = json_format.ParseDict(cluster, cluster_pb2.Cluster(), ignore_unknown_fields=True)
    except json_format.ParseError:
        return cluster
    options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
    return {**json_format.MessageToDict(message, **options), **cluster}


def within(wanted: Any, found: Any) -> bool:
    """Whether ``found`` (Envoy's JSON) has all that ``wanted`` says: maps by subset, names in either case, numbers and durations by value."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return False
        known = {_bare(name): value for name, value in found.items()}
        return all(_absent_is_zero(value, known.get(_bare(name))) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(within, wanted, found))
    return _plain(wanted) == _plain(found)


def _absent_is_zero(wanted: Any, found: Any) -> bool:
    return within(wanted, found) or (found is None and wanted in (0, False, "", None, "0s", *_FIRST))


_FIRST = ("ROUND_ROBIN", "STATIC", "AUTO")
"""The values of Envoy's enumerations that its dump leaves out, because they are the first (``lb_policy``, ``type``, …)."""


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


def _plain(value: Any) -> str:
    text = str(value).lower()
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text):
        return f"{float(match[1]) * {'ms': 0.001, 's': 1, 'm': 60, 'h': 3600}[match[2]]:g}s"
    return f"{float(text):g}" if re.fullmatch(r"-?\d+(\.\d+)?", text) else text
