"""Row CA-09: how long a certificate lasts."""

from datetime import timedelta

import pytest

from mizzen.errors import CsrRejected
from mizzen.pki import Lifetimes

LIFETIMES = Lifetimes(timedelta(hours=1), timedelta(hours=2))


@pytest.mark.row("CA-09")
@pytest.mark.parametrize(("asked", "granted"), [(0, 3600), (-1, 3600), (10, 10), (7200, 7200)])
def test_what_is_asked_for_or_the_default(asked: int, granted: int) -> None:
    assert LIFETIMES.granted(asked) == timedelta(seconds=granted)


@pytest.mark.row("CA-09")
@pytest.mark.parametrize(("asked", "reason"), [(7201, "longer than the allowed 7200 s"), (9, "shorter than 10 s")])
def test_more_or_less_than_allowed_is_refused_and_not_changed(asked: int, reason: str) -> None:
    with pytest.raises(CsrRejected, match=reason):
        LIFETIMES.granted(asked)
