from mizzen.simulate import Failure, Stage, Step, Target
from mizzen.simulate.walk import Walk


def test_what_is_forwarded_fails_only_when_no_cluster_is_there() -> None:
    walk = Walk()
    walk.forward((Target("a", 0.5, False), Target("b", 0.5, True)))
    assert walk.error is None
    assert [c.name for c in walk.steps[-1].others] == ["a"]
    walk.forward((Target("a", 1.0, False),))
    assert walk.error is Failure.NO_CLUSTER


def test_no_target_is_not_guessed_at() -> None:
    walk = Walk()
    walk.forward(())
    assert walk.error is Failure.UNKNOWN


def test_the_outcome_has_what_was_walked() -> None:
    walk = Walk(listener="l")
    walk.add(Step(Stage.LISTENER, "l", "so"))
    outcome = walk.outcome()
    assert outcome.steps == (Step(Stage.LISTENER, "l", "so"),)
    assert outcome.listener == "l"
