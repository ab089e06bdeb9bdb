from pathlib import Path

import pytest

from tests.conformance.__main__ import CASES, chosen, summary
from tests.conformance.play import Verdict
from tests.conformance.vocabulary import load, unknown


def case(**more: object) -> dict[str, object]:
    return {"id": "x", "calls": [{"call": {"from": "a.b", "url": "http://x/"}, "expect": {"status": 200}}], **more}


def test_words_that_are_known() -> None:
    assert unknown(case(then=[{"scale": {"a": 1}, "during": {"status": 200}}], needs="ext-authz server")) == []


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"colour": 1}, "colour"),
        ({"calls": [{"call": {"from": "a", "speed": 1}, "expect": {}}]}, "calls[0].call.speed"),
        ({"calls": [{"call": {"from": "a", "tls": {"curve": 1}}}]}, "calls[0].call.tls.curve"),
        ({"calls": [{"call": {"grpc": {"codec": 1}}}]}, "calls[0].call.grpc.codec"),
        ({"calls": [{"call": {}, "expect": {"mood": 1}}]}, "calls[0].expect.mood"),
        ({"calls": [{"call": {}, "expect": {"eventually": {"mood": 1}}}]}, "calls[0].expect.eventually.mood"),
        ({"then": [{"explode": 1}]}, "then[0].explode"),
        ({"then": [{"during": {"mood": 1}}]}, "then[0].during.mood"),
        ({"needs": ["a pony"]}, "needs: a pony"),
        ({"admission": "maybe"}, "admission: maybe"),
        ({"log": {"from": "a", "smells": 1}}, "log[0].smells"),
        ({"calls": ["no map"]}, "calls[0] (not a map)"),
    ],
)
def test_a_word_that_is_not_known_is_named(more: dict[str, object], word: str) -> None:
    assert unknown(case(**more)) == [word]


def test_our_own_cases_are_many_and_readable() -> None:
    cases = load(CASES)
    assert len(cases) >= 150
    assert [text for one in cases for text in unknown(one)] == []
    assert len({one["id"] for one in cases}) == len(cases)
    assert all(one.get("row") for one in cases)


def test_files_of_both_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"id": "a"}]')
    (tmp_path / "b.yaml").write_text("cases:\n- {area: z}\n")
    assert [one["id"] for one in load(tmp_path)] == ["a", "b-1"]
    with pytest.raises(ValueError, match="a list of cases"):
        load(_file(tmp_path / "c.yaml", "text"))


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_choosing_and_summing_up() -> None:
    cases: list[dict[str, object]] = [{"id": "vs-1", "area": "vs"}, {"id": "dr-1", "area": "dr"}]
    assert chosen(cases, "dr*, nothing") == cases[1:]
    verdicts = [Verdict("a"), Verdict("b", ["status: expected 1, seen 2"]), Verdict("c", skipped="unknown: x")]
    assert [verdict.line() for verdict in verdicts] == [
        "ok a",
        "FAIL b status: expected 1, seen 2",
        "SKIP c unknown: x",
    ]
    assert summary(verdicts, 2) == "1 ok, 1 failed, 1 skipped of 3 cases in 2 s"
