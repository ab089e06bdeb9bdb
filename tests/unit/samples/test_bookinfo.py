"""The four Bookinfo programs together, over real HTTP: the texts that Istio's tutorials look for."""

import json

import pytest

from mizzen.samples import details, productpage, ratings, reviews
from mizzen.samples.fetch import fetch
from mizzen.samples.web import Handler, Request, Response, json_response

APOLOGY = b"Sorry, product reviews are currently unavailable for this book."


@pytest.fixture
def place(serving, monkeypatch):
    """``place("ratings", handler)``: serves it where the other programs look for that service."""

    def start(service: str, handler: Handler) -> None:
        port = serving(handler).rpartition(":")[2]
        monkeypatch.setenv(f"{service.upper()}_HOSTNAME", "127.0.0.1")
        monkeypatch.setenv(f"{service.upper()}_SERVICE_PORT", port)

    return start


@pytest.fixture
def page(place, serving):
    """The URL of a productpage whose details, reviews and ratings run."""
    place("details", details.handle)
    place("ratings", ratings.handle)
    place("reviews", reviews.handle)
    return serving(productpage.handle)


def test_reviews_v1_shows_no_stars(page):
    text = fetch(f"{page}/productpage", timeout=5).body.decode()
    assert "<title>Simple Bookstore App</title>" in text
    assert "Reviews served by:" in text
    assert "1234567890" in text
    assert "★" not in text
    assert "Ratings service" not in text


@pytest.mark.parametrize("color", ["black", "red"])
def test_reviews_v2_and_v3_show_stars_in_their_colour(page, monkeypatch, color):
    monkeypatch.setenv("ENABLE_RATINGS", "true")
    monkeypatch.setenv("STAR_COLOR", color)
    text = fetch(f"{page}/productpage", timeout=5).body.decode()
    assert text.count(f'<font color="{color}">') == 2
    assert "★★★★★" in text
    assert "★★★★☆" in text


def test_ratings_down_is_said_and_the_reviews_stay(page, place, monkeypatch):
    monkeypatch.setenv("ENABLE_RATINGS", "true")
    place("ratings", lambda _: Response(500, b"fault filter abort"))
    text = fetch(f"{page}/productpage", timeout=5).body.decode()
    assert "Ratings service is currently unavailable" in text
    assert "Reviews served by:" in text


def test_reviews_down_shows_the_apology_after_two_tries(page, place):
    calls: list[Request] = []

    def broken(request: Request) -> Response:
        calls.append(request)
        return Response(503)

    place("reviews", broken)
    answer = fetch(f"{page}/productpage", timeout=5)
    assert answer.status == 200
    assert b"Error fetching product reviews" in answer.body
    assert APOLOGY in answer.body
    assert len(calls) == 2
    api = fetch(f"{page}/api/v1/products/0/reviews", timeout=5)
    assert (api.status, json.loads(api.body)) == (503, {"error": APOLOGY.decode()})


def test_details_down_shows_its_apology_after_one_try(page, place):
    place("details", lambda _: Response(503))
    text = fetch(f"{page}/productpage", timeout=5).body.decode()
    assert "Error fetching product details" in text
    assert "Sorry, product details are currently unavailable for this book." in text
    assert "Reviews served by:" in text


def test_login_names_the_end_user_to_reviews_and_ratings(page, place, monkeypatch):
    monkeypatch.setenv("ENABLE_RATINGS", "true")
    seen: list[Request] = []

    def spy(request: Request) -> Response:
        seen.append(request)
        return ratings.handle(request)

    place("ratings", spy)
    login = fetch(f"{page}/login", timeout=5, method="POST", body=b"username=jason&passwd=any")
    assert (login.status, login.headers.get("location")) == (302, "/productpage")
    cookie = login.headers.get("set-cookie").partition(";")[0]
    sent = [("cookie", cookie), ("x-request-id", "id-1"), ("traceparent", "00-a-b-01"), ("x-b3-traceid", "t")]
    text = fetch(f"{page}/productpage", sent, timeout=5).body.decode()
    assert "jason" in text
    got = seen[-1].headers
    assert [got.get(name) for name in ("end-user", "x-request-id", "traceparent", "x-b3-traceid")] == [
        "jason",
        "id-1",
        "00-a-b-01",
        "t",
    ]
    fetch(f"{page}/productpage", timeout=5)
    assert "end-user" not in seen[-1].headers


def test_texts_from_other_services_and_users_are_escaped(page, place):
    place("reviews", lambda _: json_response({"reviews": [{"reviewer": "<script>", "text": "&"}], "podname": "<b>"}))
    login = fetch(f"{page}/login", timeout=5, method="POST", body=b"username=%3Ci%3Ex")
    cookie = login.headers.get("set-cookie").partition(";")[0]
    text = fetch(f"{page}/productpage", [("cookie", cookie)], timeout=5).body.decode()
    assert "<script>" not in text
    assert "<i>x" not in text
    assert "&lt;i&gt;x" in text


def test_a_broken_cookie_is_nobody(page):
    assert fetch(f"{page}/productpage", [("cookie", "session=%%%; a")], timeout=5).status == 200


def test_own_metrics_count_results_per_service(page):
    fetch(f"{page}/productpage", timeout=5)
    assert (
        b'request_result_total{destination_app="details",response_code="200"}'
        in fetch(f"{page}/metrics", timeout=5).body
    )


def test_api_of_products(page):
    assert json.loads(fetch(f"{page}/api/v1/products", timeout=5).body)[0]["title"] == "The Comedy of Errors"
    assert json.loads(fetch(f"{page}/api/v1/products/0", timeout=5).body)["pages"] == 200
    assert json.loads(fetch(f"{page}/api/v1/products/0/ratings", timeout=5).body)["ratings"]["Reviewer1"] == 5
    assert fetch(f"{page}/api/v1/products/x", timeout=5).status == 404


def test_ratings_can_be_posted(serving):
    url = serving(ratings.handle)
    posted = fetch(f"{url}/ratings/7", timeout=5, method="POST", body=b'{"Reviewer1":1,"Reviewer2":2}')
    assert posted.status == 200
    assert json.loads(fetch(f"{url}/ratings/7", timeout=5).body)["ratings"] == {"Reviewer1": 1, "Reviewer2": 2}
    assert fetch(f"{url}/ratings/7", timeout=5, method="POST", body=b"{").status == 400
    assert fetch(f"{url}/ratings/x", timeout=5).status == 400


def test_every_program_has_health(serving):
    for module in (details, ratings, reviews, productpage):
        assert fetch(f"{serving(module.handle)}/health", timeout=5).status == 200
