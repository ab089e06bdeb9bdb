"""Bookinfo's ratings: how many stars each reviewer gave. ``/ratings/N`` (GET, POST), ``/health``.

SERVICE_VERSION chooses the sample's misbehaving variants: v-faulty (half of the requests fail), v-delayed (half take
7 s), v-unavailable (every other minute all fail), v-unhealthy (every other 15 minutes, health included).
The variant backed by a database (v2) is not here.
"""

import json
import os
import random
import time

from mizzen.samples.web import BadRequest, Request, Response, json_response, port_argument, serve

_added: dict[int, object] = {}
_begin = time.monotonic()
_PERIODS = {"v-unavailable": 60.0, "v-unhealthy": 900.0}


def _down(version: str) -> bool:
    period = _PERIODS.get(version)
    return period is not None and int((time.monotonic() - _begin) / period) % 2 == 1


def _stars(number: int) -> object:
    return {"id": number, "ratings": _added.get(number, {"Reviewer1": 5, "Reviewer2": 4})}


def _store(number: int, body: bytes) -> Response:
    try:
        _added[number] = json.loads(body)
    except ValueError as error:
        raise BadRequest(400, "please provide valid ratings JSON") from error
    return json_response(_stars(number))


def handle(request: Request) -> Response:
    """Answers one request."""
    version = os.environ.get("SERVICE_VERSION", "v1")
    down = _down(version)
    if request.path == "/health":
        if down and version == "v-unhealthy":
            return json_response({"status": "Ratings is not healthy"}, 500)
        return json_response({"status": "Ratings is healthy"})
    parts = request.parts
    if not parts or parts[0] != "ratings":
        return Response(404, b"not found\n")
    if len(parts) != 2 or not parts[1].isdigit():
        raise BadRequest(400, "please provide numeric product ID")
    number = int(parts[1])
    if request.method == "POST":
        return _store(number, request.body)
    if down or (version == "v-faulty" and random.random() < 0.5):
        return json_response({"error": "Service unavailable"}, 503)
    if version == "v-delayed" and random.random() < 0.5:
        time.sleep(7)
    return json_response(_stars(number))


if __name__ == "__main__":
    serve(handle, [port_argument(9080)], "ratings")
