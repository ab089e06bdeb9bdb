"""What one caller may have."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from mizzen.server.limits import Streams, TooMany


def test_each_caller_has_its_own_limit_and_gets_back_what_it_ends() -> None:
    streams = Streams(limit=2)
    with ExitStack() as stack:
        stack.enter_context(streams.one("a"))
        with streams.one("a"):
            with pytest.raises(TooMany), streams.one("a"):
                pass
            stack.enter_context(streams.one("b"))
        stack.enter_context(streams.one("a"))
    with streams.one("a"), streams.one("a"):
        pass


def test_one_that_breaks_is_given_back() -> None:
    streams = Streams(limit=1)
    with pytest.raises(ValueError, match="broken"), streams.one("a"):
        raise ValueError("broken")
    with streams.one("a"):
        pass
