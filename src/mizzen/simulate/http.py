"""A request in an HTTP connection manager: route configuration, virtual host, route, action."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.simulate import action, routes, virtual_hosts
from mizzen.simulate.call import Call
from mizzen.simulate.outcome import Candidate, Failure, Reply, Stage, Step
from mizzen.simulate.path import normalised
from mizzen.simulate.reading import Reading
from mizzen.simulate.walk import Walk


def serve(manager: hcm_pb2.HttpConnectionManager, call: Call, reading: Reading, walk: Walk) -> None:
    """Walk ``call`` from the manager to a cluster, an answer or an error."""
    _filters(manager, walk)
    config = _configuration(manager, reading, walk)
    if config is None:
        walk.error = Failure.NO_ROUTE_CONFIG
        return
    call = normalised(manager, call)
    host, step = virtual_hosts.choose(config, call.host)
    walk.add(step)
    if host is None:
        walk.error = Failure.NO_VIRTUAL_HOST
        return
    walk.virtual_host = host.name
    if _wants_tls(host) and not call.encrypted:
        walk.add(Step(Stage.ACTION, "redirect", "the virtual host takes https only"))
        walk.error = Failure.TLS_REDIRECT
        walk.reply = Reply(301, f"https://{call.host}{call.path}")
        return
    entry, step = routes.choose(host.routes, call)
    walk.add(step)
    if entry is None:
        walk.error = Failure.NO_ROUTE
        return
    walk.route = entry.name
    _act(entry, call, reading, walk)


def _configuration(
    manager: hcm_pb2.HttpConnectionManager, reading: Reading, walk: Walk
) -> route_pb2.RouteConfiguration | None:
    if manager.WhichOneof("route_specifier") == "route_config":
        config = manager.route_config
        walk.add(Step(Stage.ROUTE_CONFIG, config.name, "it is part of the listener"))
    else:
        name = manager.rds.route_config_name
        found = reading.route_configuration(name)
        if found is None:
            walk.add(Step(Stage.ROUTE_CONFIG, "", f"the listener asks for {name!r}, and there is none"))
            return None
        config = found
        walk.add(Step(Stage.ROUTE_CONFIG, name, "the listener asks for it"))
    walk.route_config = config.name
    return config


def _filters(manager: hcm_pb2.HttpConnectionManager, walk: Walk) -> None:
    """Filters are named, not judged: what a policy or a fault does with the request is not decided by names."""
    names = tuple(Candidate(f.name, "it may answer by itself") for f in manager.http_filters if _may_answer(f))
    walk.add(Step(Stage.FILTERS, f"{len(manager.http_filters)} HTTP filters", "they pass the request on", names))


_ANSWERING = ("rbac", "ext_authz", "jwt_authn", "ratelimit", "lua", "wasm", "oauth2", "basic_auth", "trafficextension")


def _may_answer(entry: hcm_pb2.HttpFilter) -> bool:
    return any(word in entry.name for word in _ANSWERING)


def _wants_tls(host: route_components_pb2.VirtualHost) -> bool:
    return bool(host.require_tls != route_components_pb2.VirtualHost.NONE)


def _act(entry: route_components_pb2.Route, call: Call, reading: Reading, walk: Walk) -> None:
    kind = entry.WhichOneof("action")
    if kind == "redirect":
        walk.reply = action.redirect(entry, call)
        walk.add(Step(Stage.ACTION, "redirect", f"{walk.reply.status} to {walk.reply.location}"))
    elif kind == "direct_response":
        walk.reply = action.direct_response(entry.direct_response)
        walk.add(Step(Stage.ACTION, "direct response", f"{walk.reply.status} from the proxy itself"))
    elif kind == "route":
        walk.forward(action.targets(entry.route, call, reading))
    else:
        walk.add(Step(Stage.ACTION, str(kind), "this action is not modelled"))
        walk.error = Failure.UNKNOWN
