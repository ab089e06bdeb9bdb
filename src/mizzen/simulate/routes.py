"""Which route of a virtual host takes a request: the first of which every condition fits (Envoy, message RouteMatch)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.simulate import matchers
from mizzen.simulate.call import Call
from mizzen.simulate.outcome import Candidate, Stage, Step

_WHOLE = {0: 100, 1: 10_000, 2: 1_000_000}
"""FractionalPercent.DenominatorType to number."""
_NOT_MODELLED = ("dynamic_metadata", "tls_context", "filter_state", "cookies")


def choose(routes: Iterable[route.Route], call: Call) -> tuple[route.Route | None, Step]:
    """The first route that fits, and what was wrong with those before it."""
    headers, parameters = call.request, matchers.query_parameters(call.path)
    others: list[Candidate] = []
    for entry in routes:
        problem = _problem(entry.match, call, headers, parameters)
        if not problem:
            return entry, Step(Stage.ROUTE, entry.name, _matched(entry.match), tuple(others))
        others.append(Candidate(entry.name, problem))
    return None, Step(Stage.ROUTE, "", "no route of the virtual host fits", tuple(others))


def _problem(match: route.RouteMatch, call: Call, headers: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    """The first condition that does not fit; empty when all do."""
    if match.HasField("runtime_fraction") and not match.runtime_fraction.default_value.numerator:
        return "it takes 0 % of the requests"
    if not _fits_path(match, call):
        return f"the path is not {_path(match)}"
    for header in match.headers:
        if not matchers.fits_header(header, headers):
            return f"it wants that {matchers.describe_header(header)}; it is {_given(header.name, headers)}"
    for query in match.query_parameters:
        if not matchers.fits_query(query, parameters):
            return f"it wants that {matchers.describe_query(query)}"
    if match.HasField("grpc") and not headers.get("content-type", "").startswith("application/grpc"):
        return "it is for gRPC only"
    unknown = next((name for name in _NOT_MODELLED if _is_set(match, name)), "")
    return f"it has conditions on {unknown.replace('_', ' ')}, which this call does not meet" if unknown else ""


def _is_set(match: route.RouteMatch, name: str) -> bool:
    entry = match.DESCRIPTOR.fields_by_name.get(name)
    if entry is None:
        return False
    return bool(getattr(match, name)) if entry.is_repeated else bool(match.HasField(name))


def _given(name: str, headers: Mapping[str, str]) -> str:
    value = headers.get(name.lower())
    return "missing" if value is None else repr(value)


def _fits_path(match: route.RouteMatch, call: Call) -> bool:
    """The path without its query; ``case_sensitive`` counts for all but expressions."""
    kind = match.WhichOneof("path_specifier")
    path = call.path.partition("?")[0].partition("#")[0]
    if kind == "safe_regex":
        return matchers.fits_regex(match.safe_regex.regex, path)
    if kind == "connect_matcher":
        return call.method == "CONNECT"
    test = _PATHS.get(kind or "")
    if test is None:
        return False
    wanted: str = getattr(match, kind)
    if match.HasField("case_sensitive") and not match.case_sensitive.value:
        wanted, path = wanted.lower(), path.lower()
    return test(path, wanted)


def _below(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(f"{wanted}/")


_PATHS: dict[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "path": str.__eq__,
    "path_separated_prefix": _below,
}


def _path(match: route.RouteMatch) -> str:
    kind = match.WhichOneof("path_specifier")
    if kind == "safe_regex":
        return f"what {match.safe_regex.regex} fits"
    if kind == "connect_matcher":
        return "that of a CONNECT"
    value = getattr(match, kind) if kind else ""
    return {"prefix": f"{value}…", "path": value, "path_separated_prefix": f"{value} or below it"}.get(
        kind or "", f"of the sort {kind}, which is not modelled"
    )


def _matched(match: route.RouteMatch) -> str:
    told = [f"the path is {_path(match)}"]
    told += [matchers.describe_header(header) for header in match.headers]
    told += [matchers.describe_query(query) for query in match.query_parameters]
    if match.HasField("runtime_fraction"):
        fraction = match.runtime_fraction.default_value
        told.append(f"it takes {fraction.numerator / _WHOLE[fraction.denominator]:.4%} of the requests")
    return ", ".join(told)
