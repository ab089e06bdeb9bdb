"""The DNS proxy put together, on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dnslib import RCODE, DNSRecord

from mizzen.agent.dns import resolv
from mizzen.agent.dns.proxy import DnsProxy
from mizzen.agent.settings import Settings

TABLE = {
    "web.shop.svc.cluster.local": {
        "ips": ["10.0.0.1"],
        "registry": "Kubernetes",
        "shortname": "web",
        "namespace": "shop",
    }
}
SETTINGS = Settings(domain="shop.svc.cluster.local", namespace="shop", dns_address="localhost:0", dns_timeout=0.2)


@asynccontextmanager
async def served(
    monkeypatch: pytest.MonkeyPatch, servers: tuple[str, ...] = ()
) -> AsyncIterator[tuple[DnsProxy, list[str]]]:
    said: list[str] = []
    monkeypatch.setattr(resolv, "load", lambda port: resolv.Resolv(servers, "shop.svc.cluster.local"))
    proxy = DnsProxy(SETTINGS, said.append)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(proxy.serve())
        async with asyncio.timeout(5):
            await proxy.listening.wait()
        yield proxy, said
        task.cancel()


async def ask(port: int, name: str) -> DNSRecord:
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", port))
        await loop.sock_sendall(client, DNSRecord.question(name).pack())
        async with asyncio.timeout(5):
            return DNSRecord.parse(await loop.sock_recv(client, 4096))


@pytest.mark.row("DN-01", "DN-03", "PO-08")
async def test_it_answers_from_the_newest_table(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(monkeypatch) as (proxy, said):
        (port,) = proxy.ports
        assert (await ask(port, "web")).header.rcode == RCODE.SERVFAIL
        assert proxy.document() == {"table": {}}
        proxy.take(TABLE)
        assert str((await ask(port, "web.shop.svc.cluster.local")).rr[0].rdata) == "10.0.0.1"
        assert [str(r.rdata) for r in (await ask(port, "web.shop.shop.svc.cluster.local")).rr] == [
            "web.shop.",
            "10.0.0.1",
        ]
        assert proxy.document() == {"table": TABLE}
        proxy.take({})
        assert (await ask(port, "web")).header.rcode == RCODE.SERVFAIL
        assert proxy.counters.requests == 4
        assert said[-1] == "DNS: 0 names of the mesh"


async def test_a_port_that_is_taken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        monkeypatch.setattr(resolv, "load", lambda port: resolv.Resolv())
        settings = Settings(dns_address=f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.RaisesGroup(OSError):
            await DnsProxy(settings, lambda text: None).serve()


@pytest.mark.row("DN-01")
def test_who_has_one() -> None:
    def has(role: str, **metadata: str) -> bool:
        return Settings(role=role, node_metadata=metadata).dns_proxy

    assert has("sidecar", DNS_CAPTURE="true")
    assert not has("sidecar", DNS_CAPTURE="false")
    assert not has("sidecar")
    assert not has("router", DNS_CAPTURE="true")
    assert has("router", ENABLE_DNS_SERVER="true")
    assert Path(SETTINGS.watch_path).name == "watch.sock"
