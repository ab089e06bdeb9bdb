"""Commands inside pods: what is said when there is nothing to run them in."""

from typing import Any

import pytest

from mizzen.lab.execute import _missing

RAW: dict[str, Any] = {
    "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}]},
    "status": {"message": "nothing is known about the image 'x'"},
}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ghost", "no container 'ghost'; it has app, istio-proxy"),
        ("istio-proxy", "'istio-proxy' does not run: nothing is known about the image 'x'"),
        (None, "'app' does not run: nothing is known"),
    ],
)
def test_a_missing_container_is_told_from_one_that_is_not_begun(name: str | None, words: str) -> None:
    assert words in _missing([], name, RAW)
