"""Bookinfo's details: facts of a book. ``/details/N``, ``/health``.

With ENABLE_EXTERNAL_BOOK_SERVICE=true (version 2 of the sample) the facts come from Google's books API: over TLS when
DO_NOT_ENCRYPT is not true, else in plaintext on port 80 for a sidecar to originate the TLS.
"""

import os

from mizzen.samples.forward import forwarded
from mizzen.samples.web import BadRequest, Request, Response, json_response, port_argument, serve

BOOKS_HOST = "www.googleapis.com"
BOOKS_PATH = "/books/v1/volumes?q=isbn:0486424618"


def facts(number: int) -> dict[str, object]:
    """The one book of the sample."""
    return {
        "id": number,
        "author": "William Shakespeare",
        "year": 1595,
        "type": "paperback",
        "pages": 200,
        "publisher": "PublisherA",
        "language": "English",
        "ISBN-10": "1234567890",
        "ISBN-13": "123-1234567890",
    }


def external_facts(number: int, headers: list[tuple[str, str]]) -> dict[str, object]:
    """The same from Google's books API; raises OSError or ValueError when it does not answer as expected."""
    # Imported here: TLS costs megabytes that version 1 does not need.
    import json
    import urllib.request

    plain = os.environ.get("DO_NOT_ENCRYPT", "") == "true"
    url = f"{'http' if plain else 'https'}://{BOOKS_HOST}{BOOKS_PATH}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=5) as answer:
        volume = json.load(answer)["items"][0]["volumeInfo"]
    isbn = {entry["type"]: entry["identifier"] for entry in volume["industryIdentifiers"]}
    return {
        "id": number,
        "author": volume["authors"][0],
        "year": volume["publishedDate"],
        "type": "paperback" if volume["printType"] == "BOOK" else "unknown",
        "pages": volume["pageCount"],
        "publisher": volume["publisher"],
        "language": "English" if volume["language"] == "en" else "unknown",
        "ISBN-10": isbn.get("ISBN_10"),
        "ISBN-13": isbn.get("ISBN_13"),
    }


def handle(request: Request) -> Response:
    """Answers one request."""
    if request.path == "/health":
        return json_response({"status": "Details is healthy"})
    parts = request.parts
    if not parts or parts[0] != "details":
        return Response(404, b"not found\n")
    if len(parts) != 2 or not parts[1].isdigit():
        raise BadRequest(400, "please provide numeric product id")
    number = int(parts[1])
    if os.environ.get("ENABLE_EXTERNAL_BOOK_SERVICE", "") != "true":
        return json_response(facts(number))
    try:
        return json_response(external_facts(number, forwarded(request.headers)))
    except (OSError, ValueError, LookupError) as error:
        return json_response({"error": f"external book service: {error}"}, 400)


if __name__ == "__main__":
    serve(handle, [port_argument(9080)], "details")
