"""Bookinfo's productpage: the page that joins details and reviews, and the login that names the end user.

``/productpage``, ``/login`` (POST), ``/logout``, ``/api/v1/products…``, ``/health``, ``/metrics``, ``/static/…``.
It waits 3 s for each service and asks reviews twice: Istio's fault-injection task builds on these numbers.
"""

import base64
import json
import os
import threading
from urllib.parse import parse_qs

from mizzen.samples import page
from mizzen.samples.fetch import FetchError, fetch
from mizzen.samples.forward import forwarded
from mizzen.samples.web import Handler, Request, Response, json_response, log, port_argument, serve

TIMEOUT_SECONDS = 3.0
PRODUCTS = [
    {
        "id": 0,
        "title": "The Comedy of Errors",
        "descriptionHtml": (
            '<a href="https://en.wikipedia.org/wiki/The_Comedy_of_Errors">Wikipedia Summary</a>: The Comedy of Errors '
            "is one of <b>William Shakespeare's</b> early plays. It is his shortest and one of his most farcical "
            "comedies, with a major part of the humour coming from slapstick and mistaken identity, in addition to "
            "puns and word play."
        ),
    }
]
_results: dict[tuple[str, int], int] = {}
_results_lock = threading.Lock()


def service_url(service: str) -> str:
    """Where a service is: DETAILS_HOSTNAME, REVIEWS_HOSTNAME, RATINGS_HOSTNAME, SERVICES_DOMAIN as in Istio's sample."""
    domain = os.environ.get("SERVICES_DOMAIN", "")
    host = os.environ.get(f"{service.upper()}_HOSTNAME", service) + (f".{domain}" if domain else "")
    return f"http://{host}:{os.environ.get(f'{service.upper()}_SERVICE_PORT', '9080')}"


def session_user(request: Request) -> str:
    """Who logged in. The cookie is not signed: the login takes any name without a check, so a signature guards nothing."""
    for part in request.headers.get("cookie").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "session":
            try:
                return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
            except ValueError:
                return ""
    return ""


def ask(service: str, number: int, headers: list[tuple[str, str]], tries: int = 1) -> tuple[int, object]:
    """Status and document of ``SERVICE/N``; after ``tries`` failures the last status (500: no answer) and an apology."""
    status = 500
    for _ in range(tries):
        try:
            answer = fetch(f"{service_url(service)}/{service}/{number}", headers, timeout=TIMEOUT_SECONDS)
            status = answer.status
            if status == 200:
                _count(service, 200)
                return 200, json.loads(answer.body)
        except (FetchError, ValueError) as error:
            status = 500
            log(f"error: {service}: {error}")
    _count(service, status)
    return status, {"error": f"Sorry, product {service} are currently unavailable for this book."}


def _count(service: str, status: int) -> None:
    with _results_lock:
        _results[service, status] = _results.get((service, status), 0) + 1


def metrics() -> Response:
    """The program's own metrics, for Prometheus to scrape (merged by the agent into its 15020)."""
    lines = ["# HELP request_result_total Results of requests", "# TYPE request_result_total counter"]
    with _results_lock:
        for (service, status), count in sorted(_results.items()):
            lines.append(f'request_result_total{{destination_app="{service}",response_code="{status}"}} {count}')
    return Response(200, ("\n".join(lines) + "\n").encode(), "text/plain; version=0.0.4; charset=utf-8")


def _flood(headers: list[tuple[str, str]]) -> None:
    # FLOOD_FACTOR: requests to reviews whose answers nobody reads, to show rate limits.
    factor = os.environ.get("FLOOD_FACTOR", "0")
    for _ in range(int(factor) if factor.isdigit() else 0):
        threading.Thread(target=ask, args=("reviews", 0, headers), daemon=True).start()


def front(request: Request) -> Response:
    """The page itself. It answers 200 also when a service failed, and says so in the text."""
    user = session_user(request)
    headers = forwarded(request.headers, end_user=user)
    details = ask("details", 0, headers)
    _flood(headers)
    reviews = ask("reviews", 0, headers, tries=2)
    product = PRODUCTS[0]
    text = page.product(str(product["title"]), str(product["descriptionHtml"]), user, details, reviews)
    return Response(200, text.encode(), "text/html; charset=utf-8")


def _back(request: Request, cookie: str) -> Response:
    where = request.headers.get("referer") or "/productpage"
    return Response(302, b"", "text/html; charset=utf-8", (("location", where), ("set-cookie", cookie)))


def login(request: Request) -> Response:
    """Remembers the user of the form (field ``username``; the password is not looked at) in a session cookie."""
    fields = {**request.query, **parse_qs(request.body.decode("utf-8", "replace"))}
    user = (fields.get("username") or [""])[0]
    value = base64.urlsafe_b64encode(user.encode()).decode().rstrip("=")
    return _back(request, f"session={value}; HttpOnly; Path=/")


def logout(request: Request) -> Response:
    """Forgets the user."""
    return _back(request, "session=; Max-Age=0; HttpOnly; Path=/")


def api(request: Request) -> Response:
    """``/api/v1/products``, ``/api/v1/products/N`` and its ``/reviews`` and ``/ratings``."""
    parts = request.parts[3:]
    if not parts:
        return json_response(PRODUCTS)
    if not parts[0].isdigit() or len(parts) > 2 or (len(parts) == 2 and parts[1] not in ("reviews", "ratings")):
        return Response(404, b"not found\n")
    service = parts[1] if len(parts) == 2 else "details"
    headers = forwarded(request.headers, end_user=session_user(request))
    status, document = ask(service, int(parts[0]), headers, tries=2 if service == "reviews" else 1)
    return json_response(document, status)


_ROUTES: dict[str, Handler] = {
    "/": lambda _: Response(200, page.index().encode(), "text/html; charset=utf-8"),
    "/index.html": lambda _: Response(200, page.index().encode(), "text/html; charset=utf-8"),
    "/health": lambda _: Response(200, b"Product page is healthy"),
    "/metrics": lambda _: metrics(),
    "/productpage": front,
    "/login": login,
    "/logout": logout,
    "/static/style.css": lambda _: Response(200, page.STYLE.encode(), "text/css; charset=utf-8"),
}


def handle(request: Request) -> Response:
    """Answers one request."""
    if request.path == "/login" and request.method != "POST":
        return Response(405, b"method not allowed\n", headers=(("allow", "POST"),))
    route = _ROUTES.get(request.path)
    if route is not None:
        return route(request)
    if request.parts[:3] == ["api", "v1", "products"]:
        return api(request)
    return Response(404, b"not found\n")


if __name__ == "__main__":
    serve(handle, [port_argument(9080)], "productpage")
