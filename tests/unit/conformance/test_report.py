from tests.conformance.report import page, read, reason

RUN = "# the mesh is ready\nok a  # 0.1 s\nFAIL b status: expected 1, seen 2 | x: y\nSKIP c unknown: z\nFAIL d-1 mtls: no\n3 ok"


def test_the_lines_of_a_run() -> None:
    assert read(RUN)["a"] == ("ok", "")
    assert read(RUN)["b"] == ("FAIL", "status: expected 1, seen 2 | x: y")
    assert list(read(RUN)) == ["a", "b", "c", "d-1"]


def test_every_case_that_is_not_ok_is_on_the_page_with_its_reason() -> None:
    text = page({"ours": RUN}, {"d-*": "because"})
    assert "| ours | 1 | 2 | 1 | 4 |" in text
    assert "| d-1 | FAIL | because |" in text
    assert "| b | FAIL | not looked into: status: expected 1, seen 2 |" in text
    assert "| c | SKIP | unknown: z |" in text
    assert "| a |" not in text


def test_reasons_by_pattern() -> None:
    assert reason("x-1", {"y*": "no", "x-*": "yes"}) == "yes"
    assert reason("z", {"y*": "no"}) == ""


def test_what_the_page_says_of_other_runs_stays() -> None:
    before = page({"old": "ok a\nFAIL b x", "ours": "ok a"}, {})
    text = page({"ours": RUN}, {}, before)
    assert "| old | 1 | 1 | 0 | 2 |" in text
    assert "| b | FAIL | not looked into: x |" in text
    assert text.count("| ours |") == 1
    assert page({"ours": RUN}, {}, text) == text
