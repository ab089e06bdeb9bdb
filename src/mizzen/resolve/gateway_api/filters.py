"""Filters of a rule or a backend as parts of a VirtualService route (rows GF-05 to GF-08, GF-10, GF-12, GF-14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import re2

from mizzen.api.gateway_routes import (
    Cors,
    HeaderFilter,
    PathModifier,
    RequestMirror,
    RequestRedirect,
    RouteFilter,
    URLRewrite,
)
from mizzen.api.match import Percent, StringMatch
from mizzen.api.meta import Duration
from mizzen.api.virtual_service import (
    CorsPolicy,
    HeaderOperations,
    Headers,
    HTTPMirrorPolicy,
    HTTPRedirect,
    HTTPRewrite,
    RegexRewrite,
)
from mizzen.resolve.gateway_api.backends import Hard, Target

_DEFAULT_METHODS = ("GET", "HEAD", "POST")


def headers(filters: Iterable[RouteFilter]) -> Headers | None:
    """What the header modifiers among ``filters`` do. Raises Hard for a value that no header may have."""
    request = response = None
    for entry in filters:
        if entry.type == "RequestHeaderModifier":
            request = _operations(entry.request_header_modifier)
        elif entry.type == "ResponseHeaderModifier":
            response = _operations(entry.response_header_modifier)
    return Headers(request=request, response=response) if request or response else None


def only_headers(filters: Iterable[RouteFilter], where: str) -> None:
    """Raises Hard for any filter but the header modifiers: a single backend can have no other (row GF-12)."""
    for entry in filters:
        if entry.type not in ("RequestHeaderModifier", "ResponseHeaderModifier"):
            raise Hard("InvalidFilter", f"a filter {entry.type} of {where} is not supported")


def _operations(modifier: HeaderFilter | None) -> HeaderOperations | None:
    if modifier is None:
        return None
    written: dict[str, dict[str, str]] = {"set": {}, "add": {}}
    for name, entries in (("set", modifier.set), ("add", modifier.add)):
        for header in entries:
            if any((ord(c) < 32 and c != "\t") or ord(c) == 127 for c in header.value):
                raise Hard("InvalidFilter", f"the value of header {header.name} has a control character")
            written[name].setdefault(header.name.lower(), header.value)
    return HeaderOperations(**written, remove=tuple(name.lower() for name in modifier.remove))


def redirect(entry: RequestRedirect, prefix: str) -> HTTPRedirect:
    """``prefix`` is the path of a prefix match, empty for another. Without a port the scheme's, else the listener's (GF-06)."""
    path = entry.path or PathModifier()
    if path.type == "ReplacePrefixMatch" and not prefix:
        raise Hard("InvalidFilter", "ReplacePrefixMatch goes with a match of type PathPrefix")
    return HTTPRedirect(
        scheme=entry.scheme,
        authority=entry.hostname,
        port=entry.port or None,
        derive_port="" if entry.port or entry.scheme else "FROM_REQUEST_PORT",
        redirect_code=entry.status_code,
        uri=path.replace_full_path or "" if path.type == "ReplaceFullPath" else "",
        prefix_rewrite=(path.replace_prefix_match or "").rstrip("/") or "/"
        if path.type == "ReplacePrefixMatch"
        else "",
    )


def rewrite(entry: URLRewrite, prefix: str) -> HTTPRewrite:
    """Row GF-07. The query is kept; taking a prefix away leaves ``/`` at least."""
    path = entry.path
    if path is None:
        return HTTPRewrite(authority=entry.hostname)
    if path.type == "ReplaceFullPath":
        whole = RegexRewrite(match="/.*", rewrite=_literal(path.replace_full_path or "/"))
        return HTTPRewrite(authority=entry.hostname, uri_regex_rewrite=whole)
    if not prefix:
        raise Hard("InvalidFilter", "ReplacePrefixMatch goes with a match of type PathPrefix")
    value = (path.replace_prefix_match or "").rstrip("/")
    if value and prefix != "/":
        return HTTPRewrite(authority=entry.hostname, uri=value)
    # The slash behind the prefix belongs to what is replaced: nothing may begin with two of them, or be empty.
    base = prefix.rstrip("/")
    start = RegexRewrite(match=f"^{re2.escape(base)}/*", rewrite=_literal(f"{value}/"))
    return HTTPRewrite(authority=entry.hostname, uri_regex_rewrite=start)


def _literal(text: str) -> str:
    """``text`` as a substitution that refers to no group."""
    return text.replace("\\", r"\\")


def mirror(entry: RequestMirror, lead: Callable[[RequestMirror], Target]) -> tuple[HTTPMirrorPolicy | None, Target]:
    """The mirror, or None when its backend leads nowhere (row GF-08)."""
    found = lead(entry)
    if found.problem is not None:
        return None, found
    share = None
    if entry.percent is not None:
        share = Percent(value=float(entry.percent))
    elif entry.fraction is not None:
        share = Percent(value=100.0 * entry.fraction.numerator / (entry.fraction.denominator or 100))
    return HTTPMirrorPolicy(destination=found.destination, percentage=share), found


def cors(entry: Cors) -> CorsPolicy:
    """Row GF-10. A preflight of another origin is answered here and goes no further."""
    return CorsPolicy(
        allow_origins=tuple(_origin(origin) for origin in entry.allow_origins),
        allow_credentials=entry.allow_credentials,
        allow_methods=entry.allow_methods or _DEFAULT_METHODS,
        allow_headers=entry.allow_headers,
        expose_headers=entry.expose_headers,
        max_age=Duration(entry.max_age * 1_000_000_000),
        unmatched_preflights="IGNORE",
    )


def _origin(text: str) -> StringMatch:
    if text == "*":
        return StringMatch(regex=".*")
    if text.endswith("*") and text.count("*") == 1:
        return StringMatch(prefix=text[:-1])
    if "*" in text:
        return StringMatch(regex=".*".join(re2.escape(part) for part in text.split("*")))
    return StringMatch(exact=text)
