"""What we say about Istio's own files for its analyzers: ``analyzers.json``."""

from __future__ import annotations

import pytest

from mizzen.model.finding import Finding, Level
from tests.conformance_data import analysis, data


@pytest.mark.row("IX-06")
def test_messages_are_istios(capsys: pytest.CaptureFixture[str]) -> None:
    """The same codes about the same objects, as often."""
    cases = data.cases(analysis.FILE)
    wrong = {case["id"]: found for case in cases if (found := analysis.difference(case))}
    data.score(capsys, analysis.FILE, len(cases) - len(wrong), len(cases))
    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())


def test_a_message_too_many_or_too_few_is_seen() -> None:
    finding = Finding(code="IST0103", level=Level.WARNING, message="", kind="Pod", namespace="a", name="p")
    assert analysis.seen([finding, finding]) == {("IST0103", "Pod a/p"): 1}
    namespace = {"path": "x.yaml", "yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"}
    case = {"inputs": [namespace], "analyzer": "injection.Analyzer", "shared_codes": []}
    message = {"code": "IST0102", "resource": "Namespace a"}
    assert analysis.difference({**case, "expect": [message]}) == ""
    assert analysis.difference({**case, "expect": []}) == "+IST0102 Namespace a x1"
    assert analysis.difference({**case, "expect": [message, message]}) == "-IST0102 Namespace a x1"
    assert analysis.difference({**case, "expect": [], "shared_codes": ["IST0102"]}) == ""
