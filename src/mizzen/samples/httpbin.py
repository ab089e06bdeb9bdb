"""A request and response service like httpbin: shows what arrived, and answers what is asked for.

Values of header fields, arguments and form fields are lists, as in go-httpbin, which Istio's sample uses; with
``--style flask`` they are plain strings, as in the older Python httpbin. Arguments: ``[--port N] [--style go|flask]``.

Not here: digest and bearer authentication, images, compression by brotli, links, drip, websockets, unstable.
"""

import base64
import gzip
import json
import os
import random
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

from mizzen.samples.web import BadRequest, Request, Response, json_response, serve

LIMIT_BYTES = 100 * 1024
LIMIT_DELAY_SECONDS = 10.0
HTML = (
    b"<!DOCTYPE html>\n<html><head></head><body>\n<h1>A page</h1>\n"
    b"<p>A short page of HTML for programs to fetch.</p>\n</body></html>\n"
)
Route = Callable[[Request, list[str]], Response]
_style = "go"


def _values(pairs: dict[str, list[str]]) -> dict[str, object]:
    if _style == "go":
        return dict(pairs)
    return {name: values[0] if len(values) == 1 else list(values) for name, values in pairs.items()}


def _headers(request: Request) -> dict[str, object]:
    fields: dict[str, list[str]] = {}
    for name, value in request.headers:
        fields.setdefault("-".join(word.capitalize() for word in name.split("-")), []).append(value)
    if _style == "go":
        return dict(sorted(fields.items()))
    return {name: ",".join(values) for name, values in sorted(fields.items())}


def _origin(request: Request) -> str:
    return request.headers.get("x-forwarded-for").split(",")[0].strip() or request.client


def _url(request: Request) -> str:
    scheme = request.headers.get("x-forwarded-proto") or "http"
    return f"{scheme}://{request.headers.get('host')}{request.target}"


def _pretty(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status, json.dumps(value, indent=2).encode() + b"\n", "application/json; charset=utf-8", headers)


def _shown(request: Request) -> dict[str, object]:
    return {
        "args": _values(request.query),
        "headers": _headers(request),
        "method": request.method,
        "origin": _origin(request),
        "url": _url(request),
    }


def _with_body(request: Request) -> dict[str, object]:
    text = request.body.decode("utf-8", "replace")
    kind = request.headers.get("content-type").partition(";")[0].strip().lower()
    document: object = None
    if kind == "application/json" and text:
        try:
            document = json.loads(text)
        except ValueError:
            document = None
    form = parse_qs(text, keep_blank_values=True) if kind == "application/x-www-form-urlencoded" else {}
    return {**_shown(request), "data": text, "files": {}, "form": _values(form), "json": document}


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise BadRequest(400, f"{text!r} is no number") from error
    if not low <= value <= high:
        raise BadRequest(400, f"{text!r} is not between {low:g} and {high:g}")
    return value


def _first(parts: list[str], default: str = "") -> str:
    return parts[0] if parts else default


def get(request: Request, _parts: list[str]) -> Response:
    """``/get``: the request, without a body."""
    if request.method not in ("GET", "HEAD"):
        return Response(405, b"method not allowed\n", headers=(("allow", "GET, HEAD"),))
    return _pretty(_shown(request))


def body_route(method: str) -> Route:
    """``/post``, ``/put``, ``/patch``, ``/delete``: the request with its body, by that method only."""

    def route(request: Request, _parts: list[str]) -> Response:
        if request.method != method:
            return Response(405, b"method not allowed\n", headers=(("allow", method),))
        return _pretty(_with_body(request))

    return route


def status(_request: Request, parts: list[str]) -> Response:
    """``/status/N`` or ``/status/N,M:WEIGHT``: that status, or one of several by weight."""
    codes: list[int] = []
    weights: list[float] = []
    for part in _first(parts, "200").split(","):
        text, _, weight = part.partition(":")
        codes.append(int(_number(text, 200, 599)))
        weights.append(_number(weight or "1", 0, 1e6))
    code = random.choices(codes, weights)[0] if sum(weights) else codes[0]
    headers = (("location", "/redirect/1"),) if code in (301, 302, 303, 307, 308) else ()
    return Response(code, b"" if code != 418 else b"I'm a teapot!\n", headers=headers)


def delay(request: Request, parts: list[str]) -> Response:
    """``/delay/N`` (seconds, or with a unit such as 500ms): answers late, at most 10 s."""
    text = _first(parts, "0")
    scale = 0.001 if text.endswith("ms") else 1.0
    time.sleep(min(_number(text.rstrip("ms"), 0, 1e6) * scale, LIMIT_DELAY_SECONDS))
    return _pretty(_with_body(request))


def response_headers(request: Request, _parts: list[str]) -> Response:
    """``/response-headers?Name=value``: these header fields in the answer."""
    fields = tuple((name, value) for name, values in request.query.items() for value in values)
    for name, value in fields:
        if not name or ":" in name or any(end in name + value for end in "\r\n"):
            raise BadRequest(400, "not a header field")
    return _pretty(_values(request.query), headers=fields)


def redirect(request: Request, parts: list[str]) -> Response:
    """``/redirect/N``, ``/relative-redirect/N``, ``/absolute-redirect/N``: N redirects, then ``/get``."""
    count = int(_number(_first(parts, "1"), 1, 100))
    target = "/get" if count == 1 else f"/{request.parts[0]}/{count - 1}"
    if request.parts[0] == "absolute-redirect":
        target = f"http://{request.headers.get('host')}{target}"
    return Response(302, headers=(("location", target),))


def redirect_to(request: Request, _parts: list[str]) -> Response:
    """``/redirect-to?url=…&status_code=N``."""
    url = _first(request.query.get("url", []))
    if not url or "\n" in url or "\r" in url:
        raise BadRequest(400, "missing URL")
    code = int(_number(_first(request.query.get("status_code", []), "302"), 300, 399))
    return Response(code, headers=(("location", url),))


def _credentials(request: Request) -> tuple[str, str]:
    kind, _, encoded = request.headers.get("authorization").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, password) if kind.lower() == "basic" else ("", "")


def basic_auth(request: Request, parts: list[str]) -> Response:
    """``/basic-auth/USER/PASSWORD`` (401) and ``/hidden-basic-auth/…`` (404): 200 with these credentials only."""
    if len(parts) != 2:
        raise BadRequest(404, "wants /USER/PASSWORD")
    right = _credentials(request) == (parts[0], parts[1])
    answer = {"authenticated": right, "authorized": right, "user": _credentials(request)[0]}
    if right:
        return _pretty(answer)
    if request.parts[0].startswith("hidden"):
        return Response(404, b"not found\n")
    return _pretty(answer, 401, (("www-authenticate", 'Basic realm="Fake Realm"'),))


def bearer(request: Request, _parts: list[str]) -> Response:
    """``/bearer``: 200 with any bearer token."""
    kind, _, token = request.headers.get("authorization").partition(" ")
    if kind.lower() != "bearer" or not token:
        return Response(401, headers=(("www-authenticate", "Bearer"),))
    return _pretty({"authenticated": True, "token": token})


def some_bytes(request: Request, parts: list[str]) -> Response:
    """``/bytes/N?seed=S``: N random bytes, at most 100 KiB."""
    count = int(_number(_first(parts, "1024"), 0, 1e9))
    seed = _first(request.query.get("seed", []))
    source = random.Random(seed) if seed else random.Random()
    return Response(200, source.randbytes(min(count, LIMIT_BYTES)), "application/octet-stream")


def stream(request: Request, parts: list[str]) -> Response:
    """``/stream/N``: N lines of JSON, at most 100, each in its own chunk."""
    count = min(int(_number(_first(parts, "1"), 0, 1e9)), 100)

    def lines() -> Iterator[bytes]:
        for number in range(count):
            yield json.dumps({"id": number, **_shown(request)}).encode() + b"\n"

    return Response(200, b"", "application/json", stream=lines())


def stream_bytes(_request: Request, parts: list[str]) -> Response:
    """``/stream-bytes/N``: N random bytes in chunks of 10 KiB."""
    count = min(int(_number(_first(parts, "1024"), 0, 1e9)), LIMIT_BYTES)
    sizes = [10240] * (count // 10240) + [count % 10240]
    return Response(200, b"", "application/octet-stream", stream=(random.randbytes(size) for size in sizes))


def cookies(request: Request, parts: list[str]) -> Response:
    """``/cookies``, ``/cookies/set?name=value``, ``/cookies/delete?name``."""
    if parts[:1] == ["set"]:
        made = tuple(("set-cookie", f"{name}={values[0]}; Path=/") for name, values in request.query.items())
        return Response(302, headers=(*made, ("location", "/cookies")))
    if parts[:1] == ["delete"]:
        gone = tuple(("set-cookie", f"{name}=; Max-Age=0; Path=/") for name in request.query)
        return Response(302, headers=(*gone, ("location", "/cookies")))
    pairs = (part.strip().partition("=") for part in request.headers.get("cookie").split(";") if part.strip())
    found: dict[str, object] = {name: value for name, _, value in pairs}
    return _pretty(found if _style == "go" else {"cookies": found})


def compressed(request: Request, _parts: list[str]) -> Response:
    """``/gzip`` and ``/deflate``."""
    kind = request.parts[0]
    flag = "gzipped" if kind == "gzip" else "deflated"
    data = json.dumps({**_shown(request), flag: True}).encode()
    packed = gzip.compress(data) if kind == "gzip" else zlib.compress(data)
    return Response(200, packed, "application/json", (("content-encoding", kind),))


def cache(request: Request, parts: list[str]) -> Response:
    """``/cache`` (304 to a conditional request) and ``/cache/N`` (Cache-Control for N seconds)."""
    if parts:
        age = int(_number(parts[0], 0, 1e9))
        return _pretty(_shown(request), headers=(("cache-control", f"public, max-age={age}"),))
    if "if-modified-since" in request.headers or "if-none-match" in request.headers:
        return Response(304)
    return _pretty(_shown(request), headers=(("etag", '"one"'), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")))


def etag(request: Request, parts: list[str]) -> Response:
    """``/etag/TAG``: honours If-None-Match and If-Match."""
    tag = f'"{_first(parts, "tag")}"'
    wanted = request.headers.get("if-none-match")
    if wanted in (tag, "*"):
        return Response(304, headers=(("etag", tag),))
    must = request.headers.get("if-match")
    if must and must not in (tag, "*"):
        return Response(412, headers=(("etag", tag),))
    return _pretty(_shown(request), headers=(("etag", tag),))


SAMPLE = {"slideshow": {"author": "Yours Truly", "slides": [{"title": "Wake up", "type": "all"}], "title": "Sample"}}
ROUTES: dict[str, Route] = {
    "get": get,
    "head": get,
    "post": body_route("POST"),
    "put": body_route("PUT"),
    "patch": body_route("PATCH"),
    "delete": body_route("DELETE"),
    "anything": lambda request, _: _pretty(_with_body(request)),
    "headers": lambda request, _: _pretty({"headers": _headers(request)}),
    "ip": lambda request, _: _pretty({"origin": _origin(request)}),
    "user-agent": lambda request, _: _pretty({"user-agent": request.headers.get("user-agent")}),
    "hostname": lambda _, __: _pretty({"hostname": os.environ.get("HOSTNAME", "")}),
    "status": status,
    "delay": delay,
    "response-headers": response_headers,
    "redirect": redirect,
    "relative-redirect": redirect,
    "absolute-redirect": redirect,
    "redirect-to": redirect_to,
    "basic-auth": basic_auth,
    "hidden-basic-auth": basic_auth,
    "bearer": bearer,
    "bytes": some_bytes,
    "stream": stream,
    "stream-bytes": stream_bytes,
    "cookies": cookies,
    "gzip": compressed,
    "deflate": compressed,
    "cache": cache,
    "etag": etag,
    "html": lambda _, __: Response(200, HTML, "text/html; charset=utf-8"),
    "json": lambda _, __: _pretty(SAMPLE),
    "xml": lambda _, __: Response(200, b"<?xml version='1.0'?><slideshow title='Sample'/>\n", "application/xml"),
    "robots.txt": lambda _, __: Response(200, b"User-agent: *\nDisallow: /deny\n"),
    "deny": lambda _, __: Response(200, b"YOU SHOULDN'T BE HERE\n"),
    "uuid": lambda _, __: _pretty({"uuid": str(uuid.uuid4())}),
    "base64": lambda _, parts: Response(200, _decoded(_first(parts))),
}


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise BadRequest(400, "not base64") from error


def handle(request: Request) -> Response:
    """Answers one request."""
    parts = request.parts
    if not parts:
        names = "".join(f"<li>/{name}</li>" for name in sorted(ROUTES))
        return Response(200, f"<h1>httpbin</h1><ul>{names}</ul>\n".encode(), "text/html; charset=utf-8")
    route = ROUTES.get(parts[0])
    if route is None:
        return json_response({"error": "not found"}, 404)
    return route(request, parts[1:])


def main(arguments: list[str]) -> None:
    """Serves until SIGTERM."""
    global _style
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    _style = "flask" if options.get("--style") == "flask" else "go"
    port = options.get("--port") or os.environ.get("PORT", "")
    serve(handle, [int(port) if port.isdigit() else 8080], "httpbin")


if __name__ == "__main__":
    main(sys.argv[1:])
