"""Row XD-07: which resource a refusal means."""

from mizzen.model.resources import CLUSTER, LISTENER, ROUTE
from mizzen.xds.refusal import judge


def test_listeners_and_clusters_are_named_and_the_rest_applies() -> None:
    text = "Error adding/updating listener(s) a: no filter\nb:8080: bad: address\n"
    verdict = judge(LISTENER, ["a", "b:8080", "c"], text)
    assert verdict.guilty == {"a": "no filter", "b:8080": "bad: address"}
    assert verdict.rest_applied


def test_a_text_that_names_nothing_blames_nobody_unless_there_is_only_one() -> None:
    assert judge(CLUSTER, ["a", "b"], "what?").guilty == {}
    assert judge(ROUTE, ["a", "b"], "a: bad").guilty == {}
    assert judge(ROUTE, ["a"], "bad").guilty == {"a": "bad"}
    assert not judge(ROUTE, ["a"], "bad").rest_applied
