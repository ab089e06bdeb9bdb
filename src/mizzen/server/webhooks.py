"""The admission webhooks on 15017: injection and validation, for an API server or whoever has a review (rows PO-15, IJ-06, IJ-10).

They are open to every caller, as Istio's are: an answer depends on nothing but the review and the mesh's configuration, and
changes nothing. What one caller can take from the others is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from aiohttp import web

from mizzen.api.decode import decode
from mizzen.api.kinds import KindInfo, kind_of
from mizzen.check import validate
from mizzen.inject import InjectNamespace, InjectSettings, diff, inject, located, parameters
from mizzen.inject.decision import REVISION
from mizzen.model.config import Config
from mizzen.model.finding import Level
from mizzen.observe import Metrics
from mizzen.server.limits import Streams, TooMany
from mizzen.server.reviews import BadReview, Review, Verdict, answer, listed, read

log = logging.getLogger(__name__)

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes of a review; the API server takes no larger objects."""
SECONDS = 10.0
"""For reading a review, and again for judging it; the API server waits no longer by default."""
PER_CALLER, TOGETHER = 16, 64
"""Reviews in hand at a time, of one address and of all."""
_THREADS = 2
_CHANGES = ("CREATE", "UPDATE", "")

Judge: TypeAlias = Callable[[Review, Config], Verdict]


class Webhooks:
    """``config`` gives the configuration that is in force; ``revision`` is the control plane's. Time limits are in seconds."""

    def __init__(
        self,
        config: Callable[[], Config | None],
        metrics: Metrics,
        revision: str = "default",
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._config = config
        self._metrics = metrics
        self._revision = revision
        self._seconds = seconds
        self._open = Streams(PER_CALLER), Streams(TOGETHER)
        self._threads = ThreadPoolExecutor(_THREADS, "webhook")

    def serve(self, app: web.Application) -> None:
        """Add the webhooks to an application that has not started."""
        app.router.add_post("/inject", self._inject)
        app.router.add_post("/inject/{path:.*}", self._inject)
        app.router.add_post("/validate", self._validate)
        app.cleanup_ctx.append(self._running)

    async def _running(self, app: web.Application) -> AsyncIterator[None]:
        yield
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _inject(self, request: web.Request) -> web.Response:
        path = request.match_info.get("path", "")
        self._metrics.injections.inc()
        started = time.monotonic()
        try:
            review, verdict = await self._judged(request, lambda r, c: injected(r, c, self._revision, path))
        except web.HTTPException:
            self._metrics.injections_failed.inc()
            raise
        self._metrics.injections_answered.inc()
        if not verdict.allowed:
            self._metrics.injections_failed.inc()
        elif verdict.skipped:
            self._metrics.injections_skipped.inc()
        self._metrics.injection_seconds.observe(time.monotonic() - started)
        return web.json_response(answer(review, verdict))

    async def _validate(self, request: web.Request) -> web.Response:
        try:
            review, verdict = await self._judged(request, validated)
        except web.HTTPException as error:
            self._metrics.validation_errors.labels(str(error.status)).inc()
            raise
        labels = _resource(review)
        if verdict.allowed:
            self._metrics.validation_passed.labels(*labels).inc()
        else:
            self._metrics.validation_failed.labels(*labels, "invalid_resource").inc()
        return web.json_response(answer(review, verdict))

    async def _judged(self, request: web.Request, judge: Judge) -> tuple[Review, Verdict]:
        """Raises HTTPException for what is no review, or comes too large, too slowly or too often."""
        config = self._config()
        if config is None:
            raise _refusal(web.HTTPServiceUnavailable, "there is no configuration yet")
        with self._one(request.remote):
            body = await self._body(request)
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(self._seconds):
                    return await loop.run_in_executor(self._threads, _work, body, config, judge)
            except BadReview as error:
                raise _refusal(web.HTTPBadRequest, str(error)) from None
            except TimeoutError:
                raise _refusal(web.HTTPServiceUnavailable, "the review takes too long") from None

    @contextlib.contextmanager
    def _one(self, caller: str | None) -> Iterator[None]:
        own, together = self._open
        try:
            with own.one(caller), together.one(None):
                yield
        except TooMany:
            raise _refusal(web.HTTPTooManyRequests, "too many reviews at a time") from None

    async def _body(self, request: web.Request) -> bytes:
        if request.content_type != "application/json":
            raise _refusal(web.HTTPUnsupportedMediaType, "Content-Type must be application/json")
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > BODY_LIMIT:
                        raise web.HTTPRequestEntityTooLarge(max_size=BODY_LIMIT, actual_size=len(body))
        except TimeoutError:
            raise _refusal(web.HTTPRequestTimeout, "the body came too slowly") from None
        except (web.RequestPayloadError, ConnectionError):
            raise _refusal(web.HTTPBadRequest, "the body cannot be read") from None
        if not body:
            raise _refusal(web.HTTPBadRequest, "the body is empty")
        return bytes(body)


def _work(body: bytes, config: Config, judge: Judge) -> tuple[Review, Verdict]:
    """In a thread of its own, so that nothing else waits for it."""
    review = read(body)
    try:
        return review, judge(review, config)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's object does, the answer is a refusal
        # Only the error's type is told: its text may have parts of the object.
        log.warning("a review cannot be judged: %s", type(error).__name__)
        return review, Verdict(allowed=False, reason="the object is not of the form that its kind has")


def injected(review: Review, config: Config, revision: str, path: str = "") -> Verdict:
    """What the webhook does to a pod that is about to be created. ``path`` is what follows ``/inject/``."""
    pod = review.object
    if review.operation not in _CHANGES or review.kind not in ("Pod", ""):
        return Verdict(skipped=True)
    if not isinstance(pod, dict):
        return Verdict(allowed=False, reason="the request has no object")
    variables, ignored = parameters(path)
    settings = InjectSettings(
        mesh=config.mesh,
        proxy_configs=tuple(config.of("ProxyConfig").values()),
        revision=revision,
        cluster_id=config.cluster_id,
        domain=config.domain,
    )
    done = inject(pod, _namespace(review, config, revision), located(settings, variables))
    warnings = [f"the webhook's path has {text!r}, which is no pair of key and value" for text in ignored]
    warnings += [finding.message for finding in done.warnings]
    if done.errors:
        return Verdict(allowed=False, reason="; ".join(f.message for f in done.errors), warnings=warnings)
    if not done.injected:
        return Verdict(warnings=warnings, skipped=True)
    return Verdict(warnings=warnings, patch=diff(pod, done.pod))


def _namespace(review: Review, config: Config, revision: str) -> InjectNamespace:
    """Of a namespace that is not known yet the API server knows the labels: that it asks says that they select the pod."""
    metadata = review.object.get("metadata")
    name = review.namespace or (metadata.get("namespace") if isinstance(metadata, dict) else "") or "default"
    known = config.of("Namespace").get(("", name))
    return InjectNamespace(name, dict(known.meta.labels) if known else {REVISION: revision})


def validated(review: Review, config: Config) -> Verdict:
    """Whether an object may be stored: every problem of it, with the path of its field. Other kinds than ours may."""
    if review.operation not in _CHANGES:
        return Verdict()
    if not isinstance(review.object, dict):
        return Verdict(allowed=False, reason="the request has no object")
    if _kind(review) is None:
        return Verdict()
    decoded = decode(review.object, None, review.namespace or "default")
    told = [(p.fatal, _problem(p.path, p.message)) for p in decoded.problems]
    if decoded.object is not None:
        found = validate(decoded.object)
        told += [(f.level is Level.ERROR, _problem(f.field, f.message)) for f in found if f.level is not Level.INFO]
    errors = [text for fatal, text in told if fatal]
    return Verdict(
        allowed=not errors,
        reason="; ".join(listed(errors)),
        warnings=[text for fatal, text in told if not fatal],
    )


def _problem(path: str, message: str) -> str:
    return f"{path}: {message}" if path else message


def _kind(review: Review) -> KindInfo | None:
    if not isinstance(review.object, dict):
        return None
    version, kind = review.object.get("apiVersion"), review.object.get("kind")
    return kind_of(version, kind) if isinstance(version, str) and isinstance(kind, str) else None


def _resource(review: Review) -> tuple[str, str, str]:
    """Group, version and resource for metrics; only what is known counts by name, or a stranger could make counters without end."""
    kind = _kind(review)
    if kind is None:
        return "", "", ""
    version = str(review.object["apiVersion"]).rpartition("/")[2]
    return kind.group, version if version in kind.versions else "", kind.plural


def _refusal(kind: type[web.HTTPException], reason: str) -> web.HTTPException:
    return kind(text=json.dumps({"error": reason}), content_type="application/json")
