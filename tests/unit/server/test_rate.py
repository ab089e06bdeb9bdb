from __future__ import annotations

import asyncio

import pytest

from mizzen.server.rate import PATIENCE, Rate


@pytest.mark.row("XD-05")
async def test_a_seconds_worth_is_let_in_at_once_and_the_next_waits_its_turn() -> None:
    rate, loop = Rate(20), asyncio.get_running_loop()
    begun = loop.time()
    assert all([await rate.admit() for _ in range(20)])
    burst = loop.time() - begun
    assert all([await rate.admit() for _ in range(4)])
    assert burst < 0.1
    assert loop.time() - begun >= 0.1


@pytest.mark.row("XD-05")
async def test_who_would_wait_too_long_is_turned_away_at_once_and_takes_nobodys_turn() -> None:
    rate, loop = Rate(1 / (PATIENCE + 1)), asyncio.get_running_loop()
    begun = loop.time()
    assert [await rate.admit() for _ in range(5)] == [True, True, False, False, False]
    assert loop.time() - begun < 0.5
