from __future__ import annotations

from mizzen.resolve.gateway_api.conditions import Condition, Problem


def test_a_condition_holds_unless_there_is_a_problem() -> None:
    good = Condition("Accepted").of(3)
    assert (good["status"], good["reason"], good["observedGeneration"]) == ("True", "Accepted", 3)
    bad = Condition("Accepted", Problem("NoMatchingParent", "none")).of(3)
    assert (bad["status"], bad["reason"], bad["message"]) == ("False", "NoMatchingParent", "none")


def test_a_condition_that_names_a_fault_is_the_other_way_round() -> None:
    assert Condition("Conflicted", good="NoConflicts", negative=True).of(1)["status"] == "False"
    bad = Condition("Conflicted", Problem("HostnameConflict", ""), negative=True).of(1)
    assert (bad["status"], bad["reason"]) == ("True", "HostnameConflict")
