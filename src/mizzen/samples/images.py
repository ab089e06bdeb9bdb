"""Which program stands for which container image."""

from typing import NamedTuple


class Image(NamedTuple):
    """What runs when a container names this image and no ``command``.

    ``command`` is what follows the Python interpreter; a container's ``args`` come after it (as after an ENTRYPOINT).
    The programs bring their own defaults, as CMD would. ``env`` is set below the container's own.
    """

    command: tuple[str, ...]
    env: dict[str, str]


def _run(module: str, *arguments: str, **env: str) -> Image:
    return Image(("-m", f"mizzen.samples.{module}", *arguments), env)


_FORTIO = ("-m", "mizzen.samples.fortio")
_PAUSE = _run("pause")
_RATE_LIMIT = ("-m", "mizzen.samples.ratelimit.server")

IMAGES: dict[str, Image] = {
    "examples-bookinfo-productpage-v1": _run("productpage", "9080", SERVICE_VERSION="v1"),
    "examples-bookinfo-productpage-v-flooding": _run("productpage", "9080", SERVICE_VERSION="v1", FLOOD_FACTOR="100"),
    "examples-bookinfo-details-v1": _run("details", "9080", SERVICE_VERSION="v1"),
    "examples-bookinfo-details-v2": _run("details", "9080", SERVICE_VERSION="v2", ENABLE_EXTERNAL_BOOK_SERVICE="true"),
    "examples-bookinfo-ratings-v1": _run("ratings", "9080", SERVICE_VERSION="v1"),
    "examples-bookinfo-ratings-v-faulty": _run("ratings", "9080", SERVICE_VERSION="v-faulty"),
    "examples-bookinfo-ratings-v-delayed": _run("ratings", "9080", SERVICE_VERSION="v-delayed"),
    "examples-bookinfo-ratings-v-unavailable": _run("ratings", "9080", SERVICE_VERSION="v-unavailable"),
    "examples-bookinfo-ratings-v-unhealthy": _run("ratings", "9080", SERVICE_VERSION="v-unhealthy"),
    "examples-bookinfo-reviews-v1": _run("reviews", "9080", SERVICE_VERSION="v1", ENABLE_RATINGS="false"),
    "examples-bookinfo-reviews-v2": _run(
        "reviews", "9080", SERVICE_VERSION="v2", ENABLE_RATINGS="true", STAR_COLOR="black"
    ),
    "examples-bookinfo-reviews-v3": _run(
        "reviews", "9080", SERVICE_VERSION="v3", ENABLE_RATINGS="true", STAR_COLOR="red"
    ),
    "examples-helloworld-v1": _run("helloworld", "5000", SERVICE_VERSION="v1"),
    "examples-helloworld-v2": _run("helloworld", "5000", SERVICE_VERSION="v2"),
    "go-httpbin": _run("httpbin", "--port", "8080", "--style", "go"),
    "httpbin": _run("httpbin", "--port", "80", "--style", "flask"),
    "tcp-echo-server": _run("tcp_echo"),
    "fortio": Image(_FORTIO, {}),
    "echo": _run("echo.server"),
    "ext-authz": _run("echo.authz"),
    "ratelimit": Image(_RATE_LIMIT, {}),
    "redis": _run("redis"),
    "trace-collector": _run("echo.collector"),
    "curl": _PAUSE,
    "sleep": _PAUSE,
    "pause": _PAUSE,
}
"""By the last component of the image's path, without registry and tag."""

PROGRAMS: dict[str, dict[str, tuple[str, ...]]] = {
    "ratelimit": {"/bin/ratelimit": _RATE_LIMIT},
    "fortio": {"/usr/bin/fortio": _FORTIO, "/usr/local/bin/fortio": _FORTIO},
}
"""Executables that people run by path inside an image: image -> path -> arguments of the interpreter."""
