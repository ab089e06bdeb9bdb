"""AdmissionReviews of honest API servers and of strangers."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.server.reviews import PROBLEMS, WARNING_LENGTH, BadReview, Verdict, answer, listed, read

V1 = "admission.k8s.io/v1"


def body(version: str = V1, **request: Any) -> bytes:
    asked = {"uid": "u1", "operation": "CREATE", "namespace": "shop", "object": {"kind": "Pod"}, **request}
    return json.dumps({"apiVersion": version, "kind": "AdmissionReview", "request": asked}).encode()


@pytest.mark.row("IJ-10")
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_answer_is_of_the_version_that_was_asked(version: str) -> None:
    review = read(body(f"admission.k8s.io/{version}", kind={"kind": "Pod"}))
    assert (review.uid, review.operation, review.namespace, review.kind) == ("u1", "CREATE", "shop", "Pod")
    patch = [{"op": "add", "path": "/a", "value": 1}]
    found = answer(review, Verdict(patch=patch, warnings=["w" * 1000]))
    assert (found["apiVersion"], found["kind"]) == (f"admission.k8s.io/{version}", "AdmissionReview")
    response = found["response"]
    assert (response["uid"], response["allowed"], response["patchType"]) == ("u1", True, "JSONPatch")
    assert json.loads(base64.b64decode(response["patch"])) == patch
    assert response["warnings"] == ["w" * WARNING_LENGTH]


def test_a_refusal_says_why_and_an_empty_patch_is_none() -> None:
    review = read(body())
    assert answer(review, Verdict(allowed=False, reason="no"))["response"]["status"]["message"] == "no"
    assert "patch" not in answer(review, Verdict())["response"]


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"NaN",
        b'{"kind": "AdmissionReview"}',
        b'{"kind": "AdmissionReview", "apiVersion": ["admission.k8s.io/v1"], "request": {"uid": "u"}}',
        body("admission.k8s.io/v2"),
        body(uid=""),
        body(uid=7),
        body(uid="u" * 1000),
        body(object=float("inf")),
        body().replace(b'"Pod"', b"1e999"),
        body().replace(b'"Pod"', b"9" * 5000),
        b"[" * 100_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
    ],
)
def test_what_is_no_review_is_refused(bad: bytes) -> None:
    with pytest.raises(BadReview):
        read(bad)


@given(text=st.binary(max_size=200), at=st.integers(0, len(body())), bits=st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_nothing_but_a_refusal_comes_of_bytes(text: bytes, at: int, bits: int) -> None:
    changed = bytearray(body())
    if at < len(changed):
        changed[at] ^= bits
    for candidate in (text, bytes(changed), body()[:at] + text):
        with contextlib.suppress(BadReview):
            assert read(candidate).uid


def test_nothing_of_the_object_is_shown() -> None:
    assert "secret" not in repr(read(body(object={"secret": 1})))
    assert "secret" not in repr(Verdict(patch=[{"value": "secret"}]))


def test_long_lists_of_problems_end_with_their_number() -> None:
    assert listed(["a"] * PROBLEMS) == ["a"] * PROBLEMS
    assert listed(["a"] * (PROBLEMS + 5)) == ["a"] * PROBLEMS + ["and 5 more"]
