from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import regex_pb2

from mizzen.model.resources import CLUSTER, ResourceSet
from mizzen.simulate import Call, Reply, Target, Tls
from mizzen.simulate.action import direct_response, redirect, targets
from mizzen.simulate.reading import Reading
from mizzen.translate.messages import resource

READING = Reading(ResourceSet.of([resource(CLUSTER, "a", cluster_pb2.Cluster(name="a"))]))


def test_weights_become_shares_and_those_of_zero_get_none() -> None:
    action = route.RouteAction()
    for name, weight in (("a", 90), ("b", 10), ("c", 0)):
        action.weighted_clusters.clusters.add(name=name).weight.value = weight
    assert targets(action, Call(port=1), READING) == (Target("a", 0.9, True), Target("b", 0.1, False))


def test_one_cluster_and_a_cluster_by_header() -> None:
    assert targets(route.RouteAction(cluster="a"), Call(port=1), READING) == (Target("a"),)
    by_header = route.RouteAction(cluster_header="X-To")
    assert targets(by_header, Call(port=1, headers={"x-to": "b"}), READING) == (Target("b", 1.0, False),)
    assert targets(route.RouteAction(), Call(port=1), READING) == ()


def redirected(match: dict[str, Any], fields: dict[str, Any], **call: Any) -> Reply:
    entry = route.Route(match=route.RouteMatch(**match), redirect=route.RedirectAction(**fields))
    return redirect(entry, Call(port=1, **{"host": "a.test", "path": "/p/x?q=1", **call}))


@pytest.mark.parametrize(
    ("fields", "call", "location"),
    [
        ({"host_redirect": "b.test"}, {}, "http://b.test/p/x?q=1"),
        ({"https_redirect": True}, {}, "https://a.test/p/x?q=1"),
        ({"https_redirect": True}, {"host": "a.test:80"}, "https://a.test/p/x?q=1"),
        ({"scheme_redirect": "http"}, {"tls": Tls.TLS, "host": "a.test:443"}, "http://a.test/p/x?q=1"),
        ({"port_redirect": 8080}, {"host": "a.test:90"}, "http://a.test:8080/p/x?q=1"),
        ({"path_redirect": "/new"}, {}, "http://a.test/new?q=1"),
        ({"path_redirect": "/new?z"}, {}, "http://a.test/new?z"),
        ({"path_redirect": "/new", "strip_query": True}, {}, "http://a.test/new"),
        ({"prefix_rewrite": "/q"}, {}, "http://a.test/q/x?q=1"),
    ],
)
def test_redirects(fields: dict[str, Any], call: dict[str, Any], location: str) -> None:
    assert redirected({"prefix": "/p"}, fields, **call) == Reply(301, location)


def test_a_redirect_by_expression_and_its_status() -> None:
    rewrite = {"pattern": regex_pb2.RegexMatcher(regex="/p/(.*)"), "substitution": r"/\1/p"}
    fields = {"regex_rewrite": rewrite, "response_code": route.RedirectAction.PERMANENT_REDIRECT}
    assert redirected({"prefix": "/"}, fields) == Reply(308, "http://a.test/x/p?q=1")


def test_a_direct_response() -> None:
    action = route.DirectResponseAction(status=503)
    action.body.inline_string = "closed"
    assert direct_response(action) == Reply(503, body="closed")
