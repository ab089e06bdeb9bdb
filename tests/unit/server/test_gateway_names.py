"""Names of gateways become addresses, and keep them while a look-up fails."""

import asyncio

import pytest

from mizzen.server import gateway_names
from mizzen.server.gateway_names import GatewayNames


class Names:
    """A resolver that answers what it is told to."""

    def __init__(self, **answers: tuple[str, ...]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, name: str) -> tuple[str, ...]:
        self.asked.append(name)
        if name == "no..name":
            raise UnicodeError("an empty label")
        if name not in self.answers:
            raise OSError("no such name")
        return self.answers[name]


async def until(store: GatewayNames, changed: asyncio.Event, wanted: dict[str, tuple[str, ...]]) -> None:
    async with asyncio.timeout(5):
        while store.current != wanted:
            changed.clear()
            await changed.wait()


@pytest.mark.row("MN-02")
async def test_names_that_are_wanted_have_their_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_names, "REFRESH", 0.01)
    monkeypatch.setattr(gateway_names, "FIRST_RETRY", 0.01)
    changed = asyncio.Event()
    names = Names(east=("10.0.0.1",), west=("10.0.1.1", "10.0.1.2"))
    store = GatewayNames(changed.set, names)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        store.want(["east", "nowhere", "no..name"])
        await until(store, changed, {"east": ("10.0.0.1",)})
        store.want(["east", "west"])
        await until(store, changed, {"east": ("10.0.0.1",), "west": ("10.0.1.1", "10.0.1.2")})

        del names.answers["east"]
        names.answers["west"] = ("10.0.1.3",)
        await until(store, changed, {"east": ("10.0.0.1",), "west": ("10.0.1.3",)})
        store.want(["west"])
        await until(store, changed, {"west": ("10.0.1.3",)})
        running.cancel()


async def test_a_slow_name_holds_up_no_other() -> None:
    changed = asyncio.Event()
    names = Names(east=("10.0.0.1",), west=("10.0.1.1",))

    async def look_up(name: str) -> tuple[str, ...]:
        if name == "slow":
            await asyncio.Event().wait()
        return await names(name)

    store = GatewayNames(changed.set, look_up)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        store.want(["slow", "east"])
        await until(store, changed, {"east": ("10.0.0.1",)})
        store.want(["slow", "west"])
        await until(store, changed, {"west": ("10.0.1.1",)})
        running.cancel()


async def test_the_machine_s_resolver_is_asked() -> None:
    assert await gateway_names.lookup("127.0.0.1") == ("127.0.0.1",)
