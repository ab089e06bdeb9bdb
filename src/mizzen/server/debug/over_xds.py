"""Debug pages over xDS: a type of its own for every page, and two older types (rows XD-17, XD-18).

``istio.io/debug`` takes one resource name, the page with its parameters (``config_dump?proxyID=x``), and answers with
what HTTP would. ``istio.io/debug/syncz`` and ``istio.io/debug/config_dump`` answer with messages of Envoy's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from envoy.admin.v3 import config_dump_pb2
from envoy.service.status.v3 import csds_pb2
from google.protobuf import json_format
from google.protobuf.message import Message

from mizzen import VERSION
from mizzen.model.identity import Identity
from mizzen.model.resources import Resource
from mizzen.server.debug.page import NoAnswer, Question
from mizzen.server.debug.pages import Pages
from mizzen.server.hub import Connection
from mizzen.xds import Response

PAGE = "istio.io/debug"
SYNC, DUMP = f"{PAGE}/syncz", f"{PAGE}/config_dump"
_STATES = {"SYNCED": "SYNCED", "NOT SENT": "NOT_SENT", "STALE": "STALE", "ERROR": "ERROR"}


class OverXds:
    """``limit`` says to which namespace a caller is limited; ``pod_name`` is the control plane's own."""

    def __init__(self, pages: Pages, limit: Callable[[Identity], str | None], pod_name: str) -> None:
        self._pages = pages
        self._limit = limit
        self._nonces = count(1)
        about = {"Component": "istiod", "ID": pod_name, "Info": {"version": VERSION}}
        self._identifier = json.dumps(about, separators=(",", ":"))

    def answer(self, type_url: str, names: Iterable[str], identity: Identity, *, delta: bool) -> Response:
        """One response to one request. What cannot be answered is told in its place."""
        limited = self._limit(identity)
        try:
            found = self._found(type_url, list(names), limited)
        except NoAnswer as error:
            found = [Resource.of(type_url, "", str(error).encode())]
        nonce = f"debug-{next(self._nonces)}"
        return Response(type_url, nonce, "", tuple(found), delta=delta, control_plane=self._identifier)

    def _found(self, type_url: str, names: list[str], limited: str | None) -> list[Resource]:
        if type_url not in (PAGE, SYNC, DUMP):
            return []
        if type_url == SYNC:
            return [_message(_state(each)) for each in self._pages.connections(limited)]
        if len(names) != 1:
            raise NoAnswer(400, "a debug request names exactly one resource")
        if type_url == DUMP:
            question = Question("config_dump", {"proxyID": names[0]}, limited)
            return [_message(json_format.ParseDict(self._pages.answer(question), config_dump_pb2.ConfigDump()))]
        page, _, query = names[0].partition("?")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        value = self._pages.answer(Question(page, parameters, limited))
        return [Resource.of(PAGE, names[0], msgspec.json.encode(value, enc_hook=str))]


def _message(message: Message) -> Resource:
    url = f"type.googleapis.com/{message.DESCRIPTOR.full_name}"
    return Resource.of(url, "", message.SerializeToString(deterministic=True))


def _state(connection: Connection) -> Any:
    state = csds_pb2.ClientConfig()
    state.node.id = connection.node.id
    for url, of in connection.session.status().items():
        state.generic_xds_configs.add(type_url=url, config_status=csds_pb2.ConfigStatus.Value(_STATES[of.state]))
    return state
