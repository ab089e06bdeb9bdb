"""The values that Telemetry gives to tags of metrics, as the stats logger takes them (row TM-04)."""

from __future__ import annotations

import re
from functools import lru_cache

from mizzen.api import cel
from mizzen.model.peer_fields import PeerField, with_peer_fields
from mizzen.translate import exchange
from mizzen.translate.filters import Direction

_ENDPOINT = {
    "workload": "workload_name",
    "namespace": "workload_namespace",
    "canonical-name": "canonical_name",
    "canonical-revision": "canonical_revision",
}
"""What an endpoint's metadata calls them, where the names differ."""
_NOTHING = "filter_state.nothing"


@lru_cache(maxsize=1024)
def value(expression: str, direction: Direction) -> str:
    """The format of a tag with the CEL ``expression``; what it does not find is empty."""
    served = direction is Direction.INBOUND
    return f"%CEL({_safe(with_peer_fields(outermost(expression), _server if served else _client))})%"


def outermost(expression: str) -> str:
    """Without a ``string()`` around the whole: the logger prints every value as text, and does not have the function."""
    return cel.unwrapped(expression, "string")


def _server(field: PeerField) -> str:
    """What the client said of itself."""
    return f"filter_state['{exchange.STATE[field.name]}']" if field.name and not field.upstream else _NOTHING


def _client(field: PeerField) -> str:
    """What the metadata of the endpoint says; a field that does not exist where nothing does."""
    if not field.name or not field.upstream:
        return _NOTHING
    return f"xds.upstream_host_metadata.filter_metadata['istio']['{_ENDPOINT.get(field.name, field.name)}']"


def _safe(expression: str) -> str:
    """With a space where a bracket before a percent sign or a length would end the format's operator."""
    return re.sub(r"\)(?=[%:])", ") ", expression)
