from mizzen.server.debug.page import OTHERS, Question


def test_a_switch_is_on_without_a_value() -> None:
    question = Question("cachez", {"sizes": "", "clear": "false", "push": "true"})
    assert [question.said(name) for name in ("sizes", "clear", "push", "other")] == [True, False, True, False]


def test_what_everybody_may_see_is_about_one_proxy() -> None:
    assert {"config_dump", "edsz", "ndsz"} == OTHERS
