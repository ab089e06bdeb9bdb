"""A signal that is given between the look and the wait is not lost (it once made ``apply --wait`` hang)."""

import asyncio

from mizzen.server.hub import Signal


async def test_what_is_given_after_the_call_counts() -> None:
    signal = Signal()
    waiting = signal.wait()
    signal.give()
    await asyncio.wait_for(waiting, 1)


async def test_what_was_given_before_the_call_does_not() -> None:
    signal = Signal()
    signal.give()
    waiting = asyncio.ensure_future(signal.wait())  # noqa: TID251 - awaited below
    await asyncio.sleep(0)
    assert not waiting.done()
    signal.give()
    await asyncio.wait_for(waiting, 1)
