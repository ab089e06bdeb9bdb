from __future__ import annotations

import pytest

from mizzen.cli.failure import Exit, Failure
from mizzen.cli.workloads import one_workload


@pytest.mark.parametrize("words", [("deploy/reviews",), ("deployment", "reviews"), ("Deployment/reviews",)])
def test_a_workload_is_named_as_kubectl_names_it(words: tuple[str, ...]) -> None:
    assert one_workload(words, "scaled") == ("Deployment", "reviews")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("deploy",), "name one workload"),
        (("deploy/a", "deploy/b"), "name one workload"),
        (("svc/a",), "cannot be scaled"),
    ],
)
def test_anything_else_is_a_usage_error(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(Failure, match=why) as error:
        one_workload(words, "scaled")
    assert error.value.code == Exit.USAGE
