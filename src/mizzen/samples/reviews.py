"""Bookinfo's reviews: two reviews of a book, with stars from ratings. ``/reviews/N``, ``/health``.

ENABLE_RATINGS=true asks ratings (versions 2 and 3), STAR_COLOR is black (v2) or red (v3). With black stars it waits
10 s for ratings, with red ones 2.5 s: Istio's fault-injection task shows that 10 s are more than its caller grants.
"""

import json
import os
import socket

from mizzen.samples.fetch import FetchError, fetch
from mizzen.samples.forward import forwarded
from mizzen.samples.web import BadRequest, Request, Response, json_response, log, port_argument, serve

TEXTS = (
    ("Reviewer1", "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!"),
    (
        "Reviewer2",
        "Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.",
    ),
)
UNAVAILABLE = "Ratings service is currently unavailable"


def ratings_url(number: int) -> str:
    """Where ratings is: RATINGS_HOSTNAME and SERVICES_DOMAIN as in Istio's sample."""
    domain = os.environ.get("SERVICES_DOMAIN", "")
    host = os.environ.get("RATINGS_HOSTNAME", "ratings") + (f".{domain}" if domain else "")
    port = os.environ.get("RATINGS_SERVICE_PORT", "9080")
    return f"http://{host}:{port}/ratings/{number}"


def stars_of(number: int, headers: list[tuple[str, str]], color: str) -> dict[str, object] | None:
    """Stars by reviewer, or None when ratings does not answer in time or with anything but 200."""
    url = ratings_url(number)
    try:
        answer = fetch(url, headers, timeout=10.0 if color == "black" else 2.5)
    except FetchError as error:
        log(f"error: unable to contact {url}: {error}")
        return None
    if answer.status != 200:
        log(f"error: unable to contact {url}: status {answer.status}")
        return None
    try:
        ratings = json.loads(answer.body)["ratings"]
    except (ValueError, LookupError, TypeError):
        return None
    return ratings if isinstance(ratings, dict) else None


def reviews(number: int, headers: list[tuple[str, str]]) -> dict[str, object]:
    """The document that ``/reviews/N`` answers."""
    rated = os.environ.get("ENABLE_RATINGS", "").lower() == "true"
    color = os.environ.get("STAR_COLOR", "black")
    stars = (stars_of(number, headers, color) or {}) if rated else {}
    entries = []
    for reviewer, text in TEXTS:
        entry: dict[str, object] = {"reviewer": reviewer, "text": text}
        if rated:
            given = stars.get(reviewer)
            entry["rating"] = {"error": UNAVAILABLE} if given is None else {"stars": given, "color": color}
        entries.append(entry)
    return {
        "id": str(number),
        "podname": os.environ.get("HOSTNAME") or socket.gethostname(),
        "clustername": os.environ.get("CLUSTER_NAME", "null"),
        "reviews": entries,
    }


def handle(request: Request) -> Response:
    """Answers one request."""
    if request.path == "/health":
        return json_response({"status": "Reviews is healthy"})
    parts = request.parts
    if not parts or parts[0] != "reviews":
        return Response(404, b"not found\n")
    if len(parts) != 2 or not parts[1].isdigit():
        raise BadRequest(400, "please provide numeric product id")
    return json_response(reviews(int(parts[1]), forwarded(request.headers)))


if __name__ == "__main__":
    serve(handle, [port_argument(9080)], "reviews")
