import pytest

from mizzen.simulate import Candidate, Failure, Outcome, Reply, Stage, Step, Target

STEP = Step(Stage.ROUTE, "default", "the path is /…", (Candidate("v2", "the path is not /v2"), Candidate("", "no")))


def test_a_step_reads_as_what_was_chosen_and_what_was_not() -> None:
    assert str(STEP) == ("route: default: the path is /…\n  not v2: the path is not /v2\n  not (unnamed): no")
    assert str(Step(Stage.LISTENER, "", "nothing listens")) == "listener: (none): nothing listens"


@pytest.mark.parametrize(
    ("outcome", "summary", "cluster"),
    [
        (Outcome(steps=(), targets=(Target("a"),)), "ends: a", "a"),
        (Outcome(steps=(), targets=(Target("a", 0.1), Target("b", 0.9))), "ends: 10.00% to a, 90.00% to b", "b"),
        (Outcome(steps=(), reply=Reply(301, "https://x/")), "ends: the proxy answers 301 https://x/", ""),
        (Outcome(steps=(), reply=Reply(404)), "ends: the proxy answers 404", ""),
        (Outcome(steps=(), error=Failure.NO_ROUTE), "ends: no route matched; 404 (response flag NR)", ""),
    ],
)
def test_an_outcome_tells_how_it_ends(outcome: Outcome, summary: str, cluster: str) -> None:
    assert (outcome.summary, outcome.cluster) == (summary, cluster)


def test_the_whole_story_ends_with_the_summary() -> None:
    assert str(Outcome(steps=(STEP,), targets=(Target("a"),))) == f"{STEP}\nends: a"


def test_every_failure_says_what_the_client_sees() -> None:
    assert all(failure.seen for failure in Failure)
