"""Istio's Bookinfo tutorials, with Istio's own networking documents unchanged, do what its documentation says."""

import re
from collections.abc import Callable

import pytest

from tests.e2e.mesh import REVIEWS, Document, Mesh, Reply
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
Samples = Callable[[str], list[Document]]
APOLOGY = "Sorry, product reviews are currently unavailable for this book."


def login(mesh: Mesh, user: str) -> dict[str, str]:
    """The header fields of a browser in which this user logged in."""
    reply = mesh.browse("/login", data=f"username={user}&passwd=any".encode())
    assert reply.code == 302, reply
    return {"cookie": reply.headers["set-cookie"].partition(";")[0]}


def page(mesh: Mesh, headers: dict[str, str] | None = None) -> Reply:
    """The product page through the ingress gateway."""
    return mesh.browse("/productpage", headers)


def stars(text: str) -> str:
    """The stars of a page: ``black``, ``red`` or ``none``."""
    found = set(re.findall(r'<font color="(\w+)">', text))
    assert "Reviews served by" in text, text
    assert len(found) <= 1, found
    return found.pop() if found else "none"


@pytest.mark.row("VS-02")
def test_bookinfo_gateway_opens_its_paths_and_no_other(mesh: Mesh) -> None:
    assert eventually(lambda: page(mesh), lambda reply: reply.code == 200).body.count("Reviews served by") == 2
    assert mesh.browse("/api/v1/products").code == 200
    assert mesh.browse("/health").code == 404, "a path that the VirtualService does not name"


def test_without_rules_every_version_of_reviews_is_seen(mesh: Mesh) -> None:
    counts = mesh.versions(60)
    assert set(counts) == {"v1", "v2", "v3"}


@pytest.mark.row("VS-27")
def test_all_v1(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-all-v1.yaml"))
    assert mesh.versions(50) == {"v1": 50}
    assert {stars(page(mesh).body) for _ in range(5)} == {"none"}


@pytest.mark.row("VS-17")
def test_jason_sees_v2(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-all-v1.yaml"))
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-reviews-test-v2.yaml"))
    jason = login(mesh, "jason")
    assert {stars(page(mesh, jason).body) for _ in range(5)} == {"black"}
    assert {stars(page(mesh).body) for _ in range(5)} == {"none"}
    assert {stars(page(mesh, login(mesh, "eve")).body) for _ in range(2)} == {"none"}


@pytest.mark.row("VS-47")
def test_ratings_delay_of_7_s_breaks_the_page_of_jason_after_6_s(mesh: Mesh, istio_samples: Samples) -> None:
    """reviews would wait 10 s for ratings, but productpage waits only twice 3 s for reviews: the tutorial's bug."""
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-all-v1.yaml"))
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-reviews-test-v2.yaml"))
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-ratings-test-delay.yaml"))
    reply = page(mesh, login(mesh, "jason"))
    assert APOLOGY in reply.body
    assert 5.9 <= reply.seconds < 7.0
    other = page(mesh)
    assert stars(other.body) == "none"
    assert other.seconds < 1.0
    direct = mesh.curl("http://ratings:9080/ratings/0", "-H", "end-user: jason")
    assert direct.code == 200
    assert 7.0 <= direct.seconds < 8.0


@pytest.mark.row("VS-48")
def test_ratings_abort_shows_that_ratings_is_unavailable(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-all-v1.yaml"))
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-reviews-test-v2.yaml"))
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-ratings-test-abort.yaml"))
    reply = page(mesh, login(mesh, "jason"))
    assert "Ratings service is currently unavailable" in reply.body
    assert "Reviews served by" in reply.body
    assert "unavailable" not in page(mesh).body
    direct = mesh.curl("http://ratings:9080/ratings/0", "-H", "end-user: jason")
    assert (direct.code, direct.body) == (500, "fault filter abort")


@pytest.mark.row("VS-28")
def test_half_of_the_requests_go_to_v3(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-reviews-50-v3.yaml"))
    counts = mesh.versions(400)
    assert set(counts) == {"v1", "v3"}
    assert sum(counts.values()) == 400
    assert 150 <= counts["v3"] <= 250, "five standard deviations are 50"
    assert {stars(page(mesh).body) for _ in range(40)} == {"none", "red"}


@pytest.mark.row("VS-28")
def test_a_canary_of_90_to_10_counted_over_1000_requests(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("bookinfo/networking/virtual-service-reviews-90-10.yaml"))
    counts = mesh.versions(1000)
    assert set(counts) == {"v1", "v2"}
    assert sum(counts.values()) == 1000
    assert 52 <= counts["v2"] <= 148, "five standard deviations are 48"


def test_deleting_the_rules_brings_every_version_back(mesh: Mesh, istio_samples: Samples) -> None:
    rules = istio_samples("bookinfo/networking/virtual-service-all-v1.yaml")
    mesh.apply(rules)
    assert set(mesh.versions(20)) == {"v1"}
    mesh.delete(rules)
    assert set(mesh.versions(60)) == {"v1", "v2", "v3"}


def test_trace_headers_reach_the_last_service(mesh: Mesh) -> None:
    reply = mesh.curl(REVIEWS, "-H", "x-request-id: 00000000-0000-4000-8000-00000000e2e1")
    assert reply.code == 200
    assert reply.headers["content-type"] == "application/json"
    assert "envoy" in reply.headers["server"]
