"""What a route does with a request."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.simulate import matchers
from mizzen.simulate.call import Call
from mizzen.simulate.outcome import Reply, Target
from mizzen.simulate.reading import Reading

_STATUS = {
    route.RedirectAction.MOVED_PERMANENTLY: 301,
    route.RedirectAction.FOUND: 302,
    route.RedirectAction.SEE_OTHER: 303,
    route.RedirectAction.TEMPORARY_REDIRECT: 307,
    route.RedirectAction.PERMANENT_REDIRECT: 308,
}
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def targets(action: route.RouteAction, call: Call, reading: Reading) -> tuple[Target, ...]:
    """The clusters of a route with their shares of the calls; none where the sort of choice is not modelled."""
    kind = action.WhichOneof("cluster_specifier")
    if kind == "cluster":
        return (Target(action.cluster, 1.0, reading.has_cluster(action.cluster)),)
    if kind == "cluster_header":
        name = call.request.get(action.cluster_header.lower(), "")
        return (Target(name, 1.0, reading.has_cluster(name)),)
    if kind != "weighted_clusters":
        return ()
    return shares([(c.name, c.weight.value) for c in action.weighted_clusters.clusters], reading)


def shares(weighted: list[tuple[str, int]], reading: Reading) -> tuple[Target, ...]:
    """Clusters with weights, as shares; those of weight 0 get nothing and are left out."""
    total = sum(weight for _, weight in weighted) or 1
    return tuple(Target(name, weight / total, reading.has_cluster(name)) for name, weight in weighted if weight)


def redirect(entry: route.Route, call: Call) -> Reply:
    """The answer of a RedirectAction, with the URL that Envoy puts together from the request's own."""
    action = entry.redirect
    kind = action.WhichOneof("scheme_rewrite_specifier")
    scheme = call.scheme
    if kind == "https_redirect" and action.https_redirect:
        scheme = "https"
    elif kind == "scheme_redirect":
        scheme = action.scheme_redirect
    path, mark, query = call.path.partition("?")
    if action.strip_query:
        mark = query = ""
    target = _path(entry, path)
    if "?" in target:
        mark = query = ""
    location = f"{scheme}://{_authority(action, call, scheme)}{target}{mark}{query}"
    return Reply(_STATUS.get(action.response_code, 301), location)


def _authority(action: route.RedirectAction, call: Call, scheme: str) -> str:
    """A port that is no longer right because the scheme changed is dropped; ``port_redirect`` sets one."""
    if action.host_redirect:
        host = action.host_redirect
    else:
        host = call.host
        if scheme != call.scheme and host.endswith(f":{_DEFAULT_PORTS.get(call.scheme, '')}"):
            host = host.rpartition(":")[0]
    if action.port_redirect:
        head, _, port = host.rpartition(":")
        bare = head if head and port.isdecimal() else host
        return f"{bare}:{action.port_redirect}"
    return str(host)


def _path(entry: route.Route, path: str) -> str:
    action = entry.redirect
    kind = action.WhichOneof("path_rewrite_specifier")
    if kind == "path_redirect":
        return str(action.path_redirect) or path
    if kind == "prefix_rewrite" and action.prefix_rewrite:
        wanted = entry.match.prefix or entry.match.path_separated_prefix or entry.match.path
        return str(action.prefix_rewrite) + path[len(wanted) :]
    if kind == "regex_rewrite":
        pattern = action.regex_rewrite.pattern.regex
        return matchers.replaced(pattern, action.regex_rewrite.substitution, path)
    return path


def direct_response(action: route.DirectResponseAction) -> Reply:
    return Reply(action.status, body=action.body.inline_string)
