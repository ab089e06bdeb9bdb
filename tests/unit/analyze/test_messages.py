from __future__ import annotations

import re

import pytest

from mizzen.analyze.analyzers import ALPHA, ANALYZERS
from mizzen.analyze.messages import ABSENT, MESSAGES
from tests.conformance_data import data


def test_every_message_belongs_to_an_analyzer_and_the_other_way_round() -> None:
    given = {code for analyzer in (ALPHA, *ANALYZERS.values()) for code in analyzer.codes}
    assert given == set(MESSAGES)
    assert not given & set(ABSENT)


def test_every_message_says_something() -> None:
    for message in MESSAGES.values():
        assert re.fullmatch(r"IST\d{4}", message.code)
        assert message.text
        assert message.about.endswith(".")
        assert message.url.endswith(f"/{message.code.lower()}/")


@pytest.mark.row("IA-02", "IM-01", "IM-28", "IM-44")
def test_names_and_levels_are_istios() -> None:
    istios = {case["code"]: (case["name"], case["level"]) for case in data.cases("messages.json")}
    ours = {message.code: (message.name, str(message.level)) for message in MESSAGES.values()}
    assert {code: istios[code] for code in ours} == ours
    assert set(istios) == set(ours) | set(ABSENT)
    assert {code: istios[code][0] for code in ABSENT} == ABSENT
