"""A proxy's table of names as its agent reads it: JSON, made once for all proxies that share it (rows DN-02, XD-13)."""

from __future__ import annotations

import json
from functools import lru_cache

from google.protobuf.json_format import MessageToDict

from mizzen.model.resources import NAME_TABLE, Resource, ResourceSet
from mizzen.proto.name_table import NameTable

_SHARED = 256


def version(resources: ResourceSet) -> str:
    """That of the table; empty when the proxy has no DNS server and so no table."""
    return next((resource.version for resource in resources.get(NAME_TABLE).values()), "")


def text(resources: ResourceSet) -> str:
    """``{"version": V, "table": {host: {"ips": […], "registry", "shortname", "namespace"}}}``."""
    found = next(iter(resources.get(NAME_TABLE).values()), None)
    return _text(found) if found is not None else '{"version": "", "table": {}}'


@lru_cache(maxsize=_SHARED)
def _text(resource: Resource) -> str:
    table = MessageToDict(NameTable.FromString(resource.body)).get("table", {})
    return json.dumps({"version": resource.version, "table": table}, sort_keys=True)
