"""How long a certificate lasts: as asked, the default, or a refusal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mizzen.errors import CsrRejected
from mizzen.pki import Lifetimes

DAY = 86_400


@pytest.mark.row("CA-09")
@pytest.mark.parametrize(("asked", "granted"), [(0, DAY), (-1, DAY), (20, 20), (90 * DAY, 90 * DAY)])
def test_granted(asked: int, granted: int) -> None:
    assert Lifetimes().granted(asked) == timedelta(seconds=granted)


@pytest.mark.row("CA-09")
@pytest.mark.parametrize(("asked", "message"), [(90 * DAY + 1, "longer"), (9, "shorter")])
def test_too_long_is_refused_and_not_shortened(asked: int, message: str) -> None:
    with pytest.raises(CsrRejected, match=message):
        Lifetimes().granted(asked)


def test_an_administrators_own_limits() -> None:
    own = Lifetimes(default=timedelta(minutes=1), longest=timedelta(minutes=2))
    assert own.granted(0) == timedelta(minutes=1)
    with pytest.raises(CsrRejected):
        own.granted(121)
