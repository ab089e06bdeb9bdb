"""AdmissionReview, the document that the API server sends to a webhook and gets back (row IJ-10).

Source: Kubernetes' API ``admission.k8s.io``. What a stranger sends is read here with bounds on size, depth and numbers.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from mizzen.api.decode import too_deep

VERSIONS = ("admission.k8s.io/v1", "admission.k8s.io/v1beta1")
PROBLEMS = 200
"""Problems that one answer lists; the others are counted."""
WARNING_LENGTH = 256
"""Characters of a warning, beyond which the API server cuts (at 4,096 in all)."""
_UID_LENGTH = 256


class BadReview(Exception):
    """What came is no AdmissionReview; the text says why, and nothing of the content."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Review:
    """``object`` is what is created or changed, None for a deletion. ``repr`` shows nothing of it."""

    version: str
    uid: str
    operation: str
    namespace: str
    object: Any
    kind: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``patch`` is a list of JSON patch operations; ``reason`` says why not ``allowed``; ``skipped``: a pod is left as it is."""

    allowed: bool = True
    skipped: bool = False
    reason: str = ""
    warnings: Sequence[str] = ()
    patch: list[dict[str, Any]] = field(default_factory=list, repr=False)


def read(body: bytes) -> Review:
    """Raises BadReview."""
    document = _document(body)
    if not isinstance(document, dict) or document.get("kind") != "AdmissionReview":
        raise BadReview("the body is no AdmissionReview")
    version, request = document.get("apiVersion"), document.get("request")
    if version not in VERSIONS:
        raise BadReview(f"an AdmissionReview of {' or '.join(VERSIONS)} is needed")
    if not isinstance(request, dict):
        raise BadReview("the AdmissionReview has no request")
    uid = request.get("uid")
    if not isinstance(uid, str) or not 0 < len(uid) <= _UID_LENGTH:
        raise BadReview("the request has no uid")
    kind = request.get("kind")
    return Review(
        version=str(version),
        uid=uid,
        operation=_word(request, "operation"),
        namespace=_word(request, "namespace"),
        object=request.get("object"),
        kind=_word(kind, "kind") if isinstance(kind, dict) else "",
    )


def answer(review: Review, verdict: Verdict) -> dict[str, Any]:
    """The AdmissionReview that goes back, of the version that came."""
    response: dict[str, Any] = {"uid": review.uid, "allowed": verdict.allowed}
    if not verdict.allowed:
        response["status"] = {"message": verdict.reason, "code": 400}
    if verdict.warnings:
        response["warnings"] = [text[:WARNING_LENGTH] for text in listed(verdict.warnings)]
    if verdict.patch:
        text = json.dumps(verdict.patch, separators=(",", ":"), allow_nan=False)
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(text.encode()).decode()}
    return {"apiVersion": review.version, "kind": "AdmissionReview", "response": response}


def listed(texts: Sequence[str]) -> list[str]:
    """At most ``PROBLEMS`` of them, and how many there are besides."""
    more = len(texts) - PROBLEMS
    return [*texts[:PROBLEMS], f"and {more} more"] if more > 0 else list(texts)


def _document(body: bytes) -> Any:
    try:
        document = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        raise BadReview("the body is no JSON") from None
    if too_deep(document):
        raise BadReview("the body is nested too deeply")
    return document


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _word(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""
