"""Routes, timeouts, retries, what telemetry says of them, and changes under load without a failed request."""

import re
import secrets
import time

import pytest

from tests.e2e.mesh import REVIEWS, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

HTTPBIN = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: httpbin}
spec:
  hosts: [httpbin]
  http:
    - match: [{uri: {prefix: /delay}}]
      timeout: 0.5s
      route: [{destination: {host: httpbin}}]
    - match: [{uri: {prefix: /status/503}}]
      retries: {attempts: 2, perTryTimeout: 2s, retryOn: 5xx}
      route: [{destination: {host: httpbin}}]
    - match: [{uri: {prefix: /renamed/}}]
      rewrite: {uri: /anything/}
      headers:
        request: {set: {x-from-route: "yes"}, remove: [x-unwanted]}
        response: {add: {x-answer: "1"}}
      route: [{destination: {host: httpbin}}]
    - route: [{destination: {host: httpbin}}]
"""


def reviews_to(subset: str) -> str:
    """All requests for reviews to one subset."""
    return f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: reviews}}
spec:
  hosts: [reviews]
  http: [{{route: [{{destination: {{host: reviews, subset: {subset}}}}}]}}]
"""


def subsets(*names: str) -> str:
    """The subsets of reviews, each named like its version or ``VERSION-extra``."""
    listed = ", ".join(f"{{name: {name}, labels: {{version: {name[:2]}}}}}" for name in names)
    return f"""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: reviews}}
spec: {{host: reviews, subsets: [{listed}]}}
"""


@pytest.mark.row("VS-38")
def test_a_timeout_answers_504_in_time(mesh: Mesh) -> None:
    mesh.apply(HTTPBIN)
    reply = mesh.curl("http://httpbin:8000/delay/3")
    assert reply.code == 504
    assert 0.45 <= reply.seconds < 1.5


@pytest.mark.row("VS-39")
def test_retries_arrive_as_attempts_plus_one(mesh: Mesh) -> None:
    mesh.apply(HTTPBIN)
    mark = f"/status/503?mark={secrets.token_hex(4)}"
    assert mesh.curl(f"http://httpbin:8000{mark}").code == 503
    assert eventually(lambda: mesh.logs("httpbin").count(mark), lambda count: count >= 3) == 3


@pytest.mark.row("VS-45")
def test_a_503_of_the_application_is_not_retried_by_default(mesh: Mesh) -> None:
    mark = f"/status/503?mark={secrets.token_hex(4)}"
    assert mesh.curl(f"http://httpbin:8000{mark}").code == 503
    assert eventually(lambda: mesh.logs("httpbin").count(mark), lambda count: count >= 1) == 1


@pytest.mark.row("VS-30", "VS-33")
def test_rewrite_and_header_operations(mesh: Mesh) -> None:
    mesh.apply(HTTPBIN)
    reply = mesh.curl("http://httpbin:8000/renamed/x", "-H", "x-unwanted: 1")
    assert reply.code == 200
    assert '/anything/x"' in reply.body
    assert "X-From-Route" in reply.body
    assert "X-Unwanted" not in reply.body
    assert reply.headers["x-answer"] == "1"


def test_a_route_to_a_missing_subset_answers_503_and_other_routes_work(mesh: Mesh) -> None:
    done = mesh.apply(reviews_to("v9"))
    assert "v9" in done.err, "a warning names the missing subset"
    assert eventually(lambda: mesh.curl(REVIEWS), lambda reply: reply.code != 200).code == 503
    assert mesh.curl("http://httpbin:8000/get").code == 200


@pytest.mark.row("ME-01", "ME-06", "ME-07", "ME-08")
def test_request_metrics_on_both_sides(mesh: Mesh) -> None:
    mesh.apply(reviews_to("v1"))
    labels = {
        "source_workload": "curl",
        "source_workload_namespace": "default",
        "source_canonical_service": "curl",
        "source_principal": "spiffe://cluster.local/ns/default/sa/curl",
        "destination_workload": "reviews-v1",
        "destination_workload_namespace": "default",
        "destination_app": "reviews",
        "destination_version": "v1",
        "destination_principal": "spiffe://cluster.local/ns/default/sa/bookinfo-reviews",
        "destination_service": "reviews.default.svc.cluster.local",
        "destination_service_name": "reviews",
        "destination_service_namespace": "default",
        "request_protocol": "http",
        "response_code": "200",
        "response_flags": "-",
    }

    def counted(workload: str, reporter: str) -> float:
        found = mesh.metrics(workload, "istio_requests_total", reporter=reporter, **labels)
        return sum(value for _, value in found)

    before = counted("curl", "source"), counted("reviews-v1", "destination")
    assert mesh.versions(20) == {"v1": 20}
    eventually(lambda: counted("curl", "source") - before[0], lambda grown: grown == 20)
    eventually(lambda: counted("reviews-v1", "destination") - before[1], lambda grown: grown == 20)
    inbound = mesh.metrics("reviews-v1", "istio_requests_total", reporter="destination", source_workload="curl")
    assert {pairs["connection_security_policy"] for pairs, _ in inbound} == {"mutual_tls"}


@pytest.mark.row("LG-01", "LG-02")
def test_access_log_in_istios_text_format_when_switched_on(mesh: Mesh) -> None:
    quiet = f"/get?mark={secrets.token_hex(4)}"
    assert mesh.curl(f"http://httpbin:8000{quiet}").code == 200
    mesh.apply(
        """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "accessLogFile: /dev/stdout\\n"}
"""
    )
    loud = f"/get?mark={secrets.token_hex(4)}"

    def logged() -> str:
        mesh.curl(f"http://httpbin:8000{loud}")
        return mesh.logs("curl", container="istio-proxy")

    text = eventually(logged, lambda log: loud in log)
    assert quiet not in text
    (line, *_) = [line for line in text.splitlines() if loud in line]
    pattern = (
        r'\[\d{4}-\d\d-\d\dT[\d:.]+Z\] "GET ' + re.escape(loud) + r' HTTP/1.1" 200 - via_upstream - "-" 0 \d+ \d+ \d+ '
        r'"-" "curl/[^"]+" "[-0-9a-f]{36}" "httpbin:8000" "[\d.]+:8080" '
        r"outbound\|8000\|\|httpbin\.default\.svc\.cluster\.local [\d.]+:\d+ [\d.]+:8000 [\d.]+:\d+ - default$"
    )
    assert re.search(pattern, line), line


def test_no_request_fails_while_a_route_switches_between_subsets(mesh: Mesh) -> None:
    mesh.apply(reviews_to("v1"))
    with mesh.load(REVIEWS) as load:
        for subset in ("v2", "v3", "v1"):
            mesh.apply(reviews_to(subset))
            time.sleep(0.5)  # traffic on the new route
    load.assert_no_failure()
    assert mesh.versions(10) == {"v1": 10}


def test_no_request_fails_while_a_subset_comes_and_goes(mesh: Mesh) -> None:
    mesh.apply(subsets("v1", "v2"))
    mesh.apply(reviews_to("v1"))
    with mesh.load(REVIEWS) as load:
        mesh.apply(subsets("v1", "v2", "v3-extra"))
        mesh.apply(reviews_to("v3-extra"))
        time.sleep(0.5)
        mesh.apply(reviews_to("v1"))
        mesh.apply(subsets("v1", "v2"))
        time.sleep(0.5)
    load.assert_no_failure()


def test_no_request_fails_when_route_and_subset_come_and_go_together(mesh: Mesh) -> None:
    """One apply brings a subset and the route to it: clusters must be there before routes, and go after them."""
    mesh.apply(subsets("v1"))
    mesh.apply(reviews_to("v1"))
    with mesh.load(REVIEWS) as load:
        mesh.apply(f"{reviews_to('v2-extra')}---{subsets('v1', 'v2-extra')}")
        time.sleep(0.5)
        mesh.apply(f"{subsets('v1')}---{reviews_to('v1')}")
        time.sleep(0.5)
    load.assert_no_failure()


def test_no_request_fails_in_a_rolling_restart(mesh: Mesh) -> None:
    before = {pod["name"] for pod in mesh.pods("reviews-v1")}
    mesh.apply(reviews_to("v1"))
    with mesh.load(REVIEWS) as load:
        mesh.run("rollout", "restart", "deploy/reviews-v1")
        mesh.run("rollout", "status", "deploy/reviews-v1", "--timeout", "20s", seconds=25)
    load.assert_no_failure()
    after = {pod["name"] for pod in mesh.pods("reviews-v1") if pod["ready"]}
    assert len(after) == 1
    assert after.isdisjoint(before)
