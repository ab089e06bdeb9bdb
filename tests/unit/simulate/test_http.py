from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.model.resources import ROUTE, ResourceSet
from mizzen.simulate import Call, Failure, Reply, Stage, Tls
from mizzen.simulate.http import serve
from mizzen.simulate.reading import Reading
from mizzen.simulate.walk import Walk
from mizzen.translate.messages import resource


def walked(host: route_components_pb2.VirtualHost, call: Call, *, asked: str = "80") -> Walk:
    config = route_pb2.RouteConfiguration(name="80", virtual_hosts=[host])
    manager = hcm_pb2.HttpConnectionManager()
    manager.rds.route_config_name = asked
    manager.http_filters.add(name="envoy.filters.http.rbac")
    manager.http_filters.add(name="envoy.filters.http.router")
    walk = Walk()
    serve(manager, call, Reading(ResourceSet.of([resource(ROUTE, "80", config)])), walk)
    return walk


def host(*routes: route_components_pb2.Route) -> route_components_pb2.VirtualHost:
    return route_components_pb2.VirtualHost(name="a", domains=["a.test"], routes=routes)


ALL = route_components_pb2.RouteMatch(prefix="/")


def test_from_the_manager_to_a_cluster() -> None:
    walk = walked(
        host(route_components_pb2.Route(name="r", match=ALL, route={"cluster": "c"})), Call(port=1, host="a.test")
    )
    assert (walk.route_config, walk.virtual_host, walk.route) == ("80", "a", "r")
    assert [t.cluster for t in walk.targets] == ["c"]
    assert [s.stage for s in walk.steps] == [
        Stage.FILTERS,
        Stage.ROUTE_CONFIG,
        Stage.VIRTUAL_HOST,
        Stage.ROUTE,
        Stage.ACTION,
    ]
    assert [c.name for c in walk.steps[0].others] == ["envoy.filters.http.rbac"]


def test_where_it_can_end_on_the_way() -> None:
    empty = host()
    assert walked(empty, Call(port=1, host="a.test"), asked="81").error is Failure.NO_ROUTE_CONFIG
    assert walked(empty, Call(port=1, host="b.test")).error is Failure.NO_VIRTUAL_HOST
    assert walked(empty, Call(port=1, host="a.test")).error is Failure.NO_ROUTE
    other = host(route_components_pb2.Route(match=ALL, non_forwarding_action={}))
    assert walked(other, Call(port=1, host="a.test")).error is Failure.UNKNOWN


def test_a_virtual_host_for_https_redirects() -> None:
    secure = host(route_components_pb2.Route(match=ALL, direct_response={"status": 204}))
    secure.require_tls = route_components_pb2.VirtualHost.ALL
    walk = walked(secure, Call(port=1, host="a.test", path="/x"))
    assert (walk.error, walk.reply) == (Failure.TLS_REDIRECT, Reply(301, "https://a.test/x"))
    assert walked(secure, Call(port=1, host="a.test", tls=Tls.TLS)).reply == Reply(204)


def test_a_redirect_is_an_answer() -> None:
    away = host(route_components_pb2.Route(match=ALL, redirect={"host_redirect": "b.test"}))
    assert walked(away, Call(port=1, host="a.test")).reply == Reply(301, "http://b.test/")
