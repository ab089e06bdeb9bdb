from __future__ import annotations

import pytest

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.suppression import Suppression, unsuppressed

SUBJECT = Subject("Pod", "default", "web-1", {})
FINDING = SUBJECT.finding("IST0103", pod="default/web-1")


@pytest.mark.row("IA-03")
@pytest.mark.parametrize(("text", "left_out"), [
    ("IST0103=Pod default/web-1", True), ("IST0103=Pod web-1.default", True), ("IST0103=Pod default/*", True),
    ("IST0103=*", True), ("IST0103=Pod web-*.default", True), ("IST0103=Pod default/web", False),
    ("IST0103=pod default/web-1", False), ("IST0104=*", False), ("IST0103=Pod defaultxweb-1", False),
])  # fmt: skip
def test_patterns(text: str, left_out: bool) -> None:
    kept = unsuppressed([FINDING], Estate([SUBJECT]), [Suppression.parse(text)])
    assert kept == ([] if left_out else [FINDING])


@pytest.mark.row("IA-03")
def test_objects_without_namespace() -> None:
    space = Subject("Namespace", "", "a", {})
    finding = space.finding("IST0102", namespace="a")
    assert unsuppressed([finding], Estate([space]), [Suppression.parse("IST0102=Namespace a")]) == []


@pytest.mark.row("IA-03")
def test_what_is_no_suppression() -> None:
    for text in ("IST0103", "IST0103=a=b"):
        with pytest.raises(ValueError, match="is not CODE=PATTERN"):
            Suppression.parse(text)
    assert Suppression.parse("IST0143=*").known
    assert Suppression.parse("IST0103=*").known
    assert not Suppression.parse("IST9999=*").known


@pytest.mark.row("IA-03", "AN-16")
@pytest.mark.parametrize(("value", "left_out"), [
    ("IST0103", True), ("IST0101,IST0103", True), ("*", True), ("IST0101", False), ("IST0101, IST0103", False),
])  # fmt: skip
def test_the_annotation(value: str, left_out: bool) -> None:
    raw = {"metadata": {"annotations": {"galley.istio.io/analyze-suppress": value}}}
    subject = Subject("Pod", "default", "web-1", raw)
    assert unsuppressed([FINDING], Estate([subject])) == ([] if left_out else [FINDING])
