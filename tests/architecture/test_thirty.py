"""Each of the thirty behaviours has a test that exists."""

from pathlib import Path

from tests.architecture import thirty


def test_each_behaviour_is_held_by_tests_that_exist() -> None:
    assert thirty.problems(thirty.load(), thirty.ROOT / "tests") == []


def test_what_is_missing_is_found(tmp_path: Path) -> None:
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden/one.yaml").write_text("about: x\n")
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance/cases.yaml").write_text("- {id: good}\n- {id: excused-one}\n")
    (tmp_path / "conformance/reasons.yaml").write_text("excused-*: not yet\n")
    (tmp_path / "test_x.py").write_text("async def test_a(): ...\n")
    good = {"behaviour": "b", "tests": ["golden/one.yaml", "conformance/cases.yaml::good", "test_x.py::test_a"]}
    behaviours = dict.fromkeys(range(1, 31), good)
    assert thirty.problems(behaviours, tmp_path) == []
    wrong = ["none.py::x", "test_x.py::test_b", "conformance/cases.yaml::bad", "conformance/cases.yaml::excused-one"]
    found = thirty.problems({**behaviours, 7: {"behaviour": "b", "tests": wrong}, 31: good}, tmp_path)
    assert len(found) == 5
    assert thirty.problems({n: b for n, b in behaviours.items() if n != 9}, tmp_path) == ["9: not listed"]
    assert thirty.problems({**behaviours, 9: {"behaviour": "b"}}, tmp_path)
