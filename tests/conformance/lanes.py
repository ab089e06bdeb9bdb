"""Cases played in several meshes side by side: most of a case is waiting, so two cores carry more than one mesh."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from tests.conformance.material import Material
from tests.conformance.play import Verdict, run
from tests.conformance.world import World

Case = dict[str, Any]
Lane = tuple[World, Material]
T = TypeVar("T")


def play(
    cases: Iterable[Case],
    lanes: Sequence[Lane],
    tell: Callable[[Verdict], None],
    one: Callable[[Case, World, Material], Verdict] = run,
) -> list[Verdict]:
    """The verdict of ``one`` on every case, in the order of ``cases``; ``tell`` gets each as it comes, one at a time."""
    return shared(list(cases), [lambda case, lane=lane: one(case, *lane) for lane in lanes], tell)


def shared(work: Sequence[Case], hands: Sequence[Callable[[Case], T]], tell: Callable[[T], None]) -> list[T]:
    """``work`` done by ``hands``, each of which takes the next piece when it is free. Raises what a hand raises."""
    left = deque(enumerate(work))
    done: dict[int, T] = {}
    failed: list[BaseException] = []
    lock = threading.Lock()

    def lane(hand: Callable[[Case], T]) -> None:
        while not failed:
            with lock:
                if not left:
                    return
                number, piece = left.popleft()
            try:
                result = hand(piece)
            except BaseException as error:
                failed.append(error)
                return
            with lock:
                if failed:
                    return
                done[number] = result
                tell(result)

    threads = [threading.Thread(target=lane, args=(hand,), daemon=True) for hand in hands]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException as error:  # the run is stopped: what the lanes still do counts no more
        failed.append(error)
        raise
    if failed:
        raise failed[0]
    return [done[number] for number in sorted(done)]


def opened(stack: ExitStack, names: Sequence[str], open_one: Callable[[str], Lane]) -> list[Lane]:
    """A mesh of each name, started side by side and closed with ``stack``. Raises what the first that fails raises."""
    found: list[Lane] = []
    failed: list[BaseException] = []
    lock = threading.Lock()

    def start(name: str) -> None:
        try:
            lane = open_one(name)
        except BaseException as error:
            failed.append(error)
            return
        with lock:
            found.append(lane)
            stack.enter_context(lane[0])

    threads = [threading.Thread(target=start, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found
