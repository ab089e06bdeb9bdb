"""The compatibility list says only what a test would catch breaking."""

from pathlib import Path

from tests.architecture import rows
from tests.architecture.rows import Row


def test_the_list_and_the_marks_agree() -> None:
    assert rows.problems(rows.load(), rows.marks(rows.ROOT / "tests")) == []


def test_all_rows_are_there() -> None:
    listed = rows.load()
    assert len(listed) == 897
    assert {row.area for row in listed} == set(rows.AREAS)


def test_the_pages_are_fresh() -> None:
    for name, text in rows.pages(rows.load(), rows.marks(rows.ROOT / "tests")).items():
        page = rows.LIST.parent / name
        assert page.is_file(), f"{name} is missing"
        assert page.read_text() == text, f"{name} is stale: run python -m tests.architecture.rows --write"


def test_marks_are_found_without_running(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_x.py").write_text(
        "import pytest\nraise SystemExit\n"
        '@pytest.mark.row("VS-28", "VS-39")\ndef test_a(): ...\n'
        '@pytest.mark.other("VS-30")\n@pytest.mark.row("VS-28")\nclass TestB: ...\n'
    )
    (tests / "golden/kind").mkdir(parents=True)
    (tests / "golden/kind/one.yaml").write_text("about: x\nrows: [VS-28]\n---\n- shown\n")
    assert rows.marks(tests) == {
        "VS-28": ["tests/test_x.py::test_a", "tests/test_x.py::TestB", "tests/golden/kind/one.yaml"],
        "VS-39": ["tests/test_x.py::test_a"],
    }


def test_a_claim_without_a_test_is_a_problem() -> None:
    done = Row("VS-28", 1, "A", "yes", "weights", "split by weight")
    assert rows.problems([done], {}) == ["VS-28: yes, but no test is marked with it"]
    assert rows.problems([done], {"VS-28": ["t"]}) == []
    assert rows.problems([done], {"VS-28": ["t"], "ZZ-1": ["t"]}) == ["ZZ-1: marked in t, but not in the list"]


def test_a_row_that_left_not_yet_says_what_happens() -> None:
    assert rows.problems([Row("VS-28", 1, "A", "refused", "weights")], {})


def test_cases_count_when_a_test_plays_them_and_nothing_excuses_them(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    cases = tests / "conformance/cases"
    cases.mkdir(parents=True)
    (cases / "some.yaml").write_text("- {id: a-one, row: VS-28}\n- {id: b-two, row: [VS-30, VS-31]}\n- {id: no-row}\n")
    assert rows.marks(tests) == {}
    (tests / "e2e").mkdir()
    (tests / "e2e/test_conformance.py").write_text("def test_our_own_cases(): ...\n")
    (tests / "conformance/reasons.yaml").write_text("a-*: not done\n")
    assert rows.marks(tests) == {
        "VS-30": ["tests/conformance/cases/some.yaml::b-two"],
        "VS-31": ["tests/conformance/cases/some.yaml::b-two"],
    }


def test_no_row_has_two_texts() -> None:
    assert [line[:12] for line in rows.LIST.read_text().splitlines() if line.count(', text: "') > 1] == []
