"""Header operations of a route and of its destinations. Rows VS-29, VS-30."""

from __future__ import annotations

from mizzen.api import log_format
from mizzen.api.virtual_service import HeaderOperations, Headers, HTTPRoute
from mizzen.check import rules
from mizzen.check.notes import Notes
from mizzen.check.validators.virtual_service_names import HOST_HEADERS


def validate(headers: Headers | None, path: str, notes: Notes) -> None:
    if headers is None:
        return
    for side, operations in (("request", headers.request), ("response", headers.response)):
        if operations is not None:
            _operations(operations, f"{path}.{side}", notes, request=side == "request")


def _operations(operations: HeaderOperations, path: str, notes: Notes, *, request: bool) -> None:
    for verb in ("set", "add", "remove"):
        for name in getattr(operations, verb):
            _name(name, f"{path}.{verb}", notes, host_allowed=request and verb != "remove")
    for verb, values in (("set", operations.set), ("add", operations.add)):
        for name, value in values.items():
            rules.one_line(notes, f"{path}.{verb}.{name}", value)
            header_value(value, f"{path}.{verb}.{name}", notes)
    if sum(name.lower() in HOST_HEADERS for name in (*operations.set, *operations.add)) > 1:
        notes.error(path, "the host may be rewritten only once")


def _name(name: str, path: str, notes: Notes, *, host_allowed: bool) -> None:
    if name.lower() in HOST_HEADERS:
        notes.need(host_allowed, path, f"{name} cannot be changed here")
    elif name.startswith(":"):
        notes.error(path, f"{name} cannot be changed")
    else:
        rules.header_name(notes, path, name)


def header_value(value: str, path: str, notes: Notes) -> None:
    """Envoy reads ``%…%`` as an operator, as in access logs, and refuses all routes of a port for one that it does not know."""
    notes.need(len(value.encode()) <= rules.MAX_HEADER, path, f"at most {rules.MAX_HEADER} bytes")
    # The older name that values of headers still take.
    wrong = log_format.problem_in_value(value.replace("%PER_REQUEST_STATE(", "%FILTER_STATE("))
    notes.need(not wrong, path, wrong)


def authority(route: HTTPRoute, path: str, notes: Notes) -> None:
    """The host is rewritten in one place: rewrite.authority or one header."""
    if route.rewrite is None or not route.rewrite.authority or route.headers is None or route.headers.request is None:
        return
    request = route.headers.request
    if any(name.lower() in HOST_HEADERS for name in (*request.set, *request.add)):
        notes.error(f"{path}.rewrite.authority", "the host is rewritten by headers.request already")
