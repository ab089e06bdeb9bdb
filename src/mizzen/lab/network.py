"""A mesh's network: one node namespace, one veth pair to the host, pods with /32 addresses routed through the node."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import ipaddress
import json
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from mizzen.errors import LabError
from mizzen.lab import commands, inotify

NAMESPACES = Path("/run/netns")
RECORDS = Path("/run/mizzen")
"""What was changed on the host, for whoever must undo it: one file per mesh, in memory because the changes are too."""

_GATEWAY = "169.254.1.1"
_REUSE_AFTER_SECONDS = 60.0


def namespace_path(mesh: str) -> str:
    """The node's network namespace as a file, also known to ``ip netns``."""
    return str(NAMESPACES / f"mizzen-{mesh}")


def link_name(mesh: str) -> str:
    """The host's end of the veth pair; the kernel allows 15 characters."""
    return f"mz-{mesh}" if len(mesh) <= 12 else f"mz-{hashlib.sha256(mesh.encode()).hexdigest()[:12]}"


@contextlib.contextmanager
def host_lock() -> Iterator[None]:
    """Held while the host's network is changed: two meshes may start at once."""
    RECORDS.mkdir(mode=0o700, exist_ok=True)
    with (RECORDS / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Subnets:
    """How a mesh's /16 is used: .0.1 host, .0.2 node, pods from .1.0 up, services in the upper half."""

    def __init__(self, network: IPv4Network) -> None:
        self.network = network
        self.host = str(network[1])
        self.node = str(network[2])
        self.pods, self.services = network.subnets(1)

    @property
    def first_pod(self) -> IPv4Address:
        return self.pods[256]


def choose(taken: Iterable[IPv4Network], wanted: str = "") -> Subnets:
    """``wanted`` (a /16 or larger, from mizzen.yaml) or the first free 10.x.0.0/16. Raises LabError when none is free."""
    used = list(taken)
    if wanted:
        network = ipaddress.IPv4Network(wanted)
        clash = [str(other) for other in used if other.overlaps(network)]
        if clash or network.prefixlen > 20:
            raise LabError(
                f"the subnet {wanted} cannot be used ({'in use: ' + clash[0] if clash else 'smaller than a /20'})",
                "choose another in mizzen.yaml",
            )
        return Subnets(network)
    for number in (*range(77, 255), *range(1, 77)):
        network = ipaddress.IPv4Network(f"10.{number}.0.0/16")
        if not any(other.overlaps(network) for other in used):
            return Subnets(network)
    raise LabError("every network 10.x.0.0/16 is in use on this machine", "set subnets in mizzen.yaml")


async def host_networks() -> list[IPv4Network]:
    """Everything the host has a route to, but its default route."""
    routes = json.loads(await commands.run("ip", "-j", "-4", "route", "show", "table", "all") or "[]")
    found = []
    for route in routes:
        with contextlib.suppress(ValueError):
            network = ipaddress.IPv4Network(route.get("dst", ""))
            if network.prefixlen:
                found.append(network)
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines():
            if line.startswith("nameserver") and "." in line:
                found.append(ipaddress.IPv4Network(line.split()[1]))
    return found


class Network:
    """The network of one running mesh."""

    def __init__(self, mesh: str, subnets: Subnets, mtu: int) -> None:
        self.mesh = mesh
        self.subnets = subnets
        self.mtu = mtu
        self.namespace = namespace_path(mesh)

    @classmethod
    async def create(cls, mesh: str, wanted: str = "", peers: Iterable[str] = ()) -> Network:
        """Make the node namespace and its link to the host. Raises LabError.

        ``peers`` are meshes whose Services this one's pods may reach, and the other way round, if they say so too.
        """
        with host_lock():
            subnets = choose(await host_networks(), wanted)
            uplink, mtu = await _uplink()
            network = cls(mesh, subnets, mtu)
            record = {
                "mesh": mesh,
                "uplink": uplink,
                "forwarding": _forwarding(uplink),
                "network": str(subnets.network),
                "inotify": inotify.make_room(),
            }
            (RECORDS / f"{mesh}.json").write_text(json.dumps(record), encoding="utf-8")
            await commands.run("ip", "netns", "add", f"mizzen-{mesh}")
            await network._connect(uplink, tuple(peers))
        return network

    async def _connect(self, uplink: str, peers: tuple[str, ...]) -> None:
        link, subnets, path = link_name(self.mesh), self.subnets, self.namespace
        await commands.ip(
            [
                f"link add {link} mtu {self.mtu} type veth peer name uplink mtu {self.mtu} netns mizzen-{self.mesh}",
                f"address add {subnets.host}/30 dev {link}",
                f"link set {link} up",
                f"route add {subnets.network} via {subnets.node} dev {link}",
            ]
        )
        inside = [
            "link set lo up",
            f"address add {subnets.node}/30 dev uplink",
            "link set uplink up",
            f"route add default via {subnets.host}",
        ]
        await commands.ip(inside, path)
        await asyncio.to_thread(commands.within, path, _forward_everything)
        if uplink or peers:
            _set_forwarding(link, "1")
            if uplink:
                _set_forwarding(uplink, "1")
            await commands.run("nft", "-f", "-", text=host_table(self.mesh, subnets, peers))

    async def attach(self, pid: int, number: int, address: str) -> None:
        """Give the network namespace of process ``pid`` the address; ``number`` names the node's end of the pair."""
        link = f"pod{number}"
        await commands.ip(
            [
                f"link add {link} mtu {self.mtu} type veth peer name eth0 mtu {self.mtu} netns {pid}",
                f"address add {_GATEWAY}/32 dev {link}",
                f"link set {link} up",
                f"route add {address}/32 dev {link} src {self.subnets.node}",
            ],
            self.namespace,
        )
        await commands.ip(
            [
                "link set lo up",
                f"address add {address}/32 dev eth0",
                "link set eth0 up",
                f"route add {_GATEWAY} dev eth0 scope link",
                f"route add default via {_GATEWAY} dev eth0 src {address}",
            ],
            f"/proc/{pid}/ns/net",
        )

    async def detach(self, number: int) -> None:
        """Remove what :meth:`attach` made; nothing there is no error."""
        with contextlib.suppress(LabError):
            await commands.ip([f"link delete pod{number}"], self.namespace)


class Addresses:
    """Pod addresses, handed out in turn and not again within 60 s of their release (clients may still hold them)."""

    def __init__(self, subnets: Subnets) -> None:
        self._next = subnets.first_pod
        self._last = subnets.pods.broadcast_address
        self._free: deque[tuple[float, IPv4Address]] = deque()

    def take(self, now: float | None = None) -> str:
        """Raises LabError when every address is in use."""
        now = time.monotonic() if now is None else now
        if self._next < self._last:
            self._next += 1
            return str(self._next - 1)
        if self._free and self._free[0][0] + _REUSE_AFTER_SECONDS <= now:
            return str(self._free.popleft()[1])
        raise LabError("no pod address is free", "scale down, or give the mesh a larger subnet in mizzen.yaml")

    def release(self, address: str, now: float | None = None) -> None:
        self._free.append((time.monotonic() if now is None else now, IPv4Address(address)))


def remove(mesh: str, run: commands.Runner) -> None:
    """Undo everything on the host, whatever of it exists; the last mesh restores the uplink's forwarding."""
    with host_lock():
        run("ip", "link", "delete", link_name(mesh))
        run("nft", "delete", "table", "ip", f"mizzen-{mesh}")
        path = NAMESPACES / f"mizzen-{mesh}"
        if path.exists():
            run("ip", "netns", "delete", path.name)
        _restore(mesh)


def _restore(mesh: str) -> None:
    record = RECORDS / f"{mesh}.json"
    if not record.exists():
        return
    with contextlib.suppress(ValueError, KeyError):
        mine = json.loads(record.read_text(encoding="utf-8"))
        others = [other for other in RECORDS.glob("*.json") if other != record]
        same = [other for other in map(_read, others) if other.get("uplink") == mine["uplink"]]
        if same:  # the first mesh knew the value before any of us: hand it on
            for path in others:
                data = _read(path)
                if data.get("uplink") == mine["uplink"] and mine["forwarding"] == "0":
                    path.write_text(json.dumps({**data, "forwarding": "0"}), encoding="utf-8")
        elif mine["uplink"] and mine["forwarding"] == "0":
            with contextlib.suppress(OSError):
                _set_forwarding(mine["uplink"], "0")
        _restore_inotify(mine.get("inotify", ""), others)
    record.unlink(missing_ok=True)


def _restore_inotify(former: str, others: list[Path]) -> None:
    """The last mesh puts the limit back; the one that raised it hands the value on."""
    if not others:
        inotify.restore(former)
    elif former:
        others[0].write_text(json.dumps({**_read(others[0]), "inotify": former}), encoding="utf-8")


def _read(path: Path) -> dict[str, str]:
    try:
        data: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data


async def _uplink() -> tuple[str, int]:
    """The interface of the default route and its MTU; no default route: no name, 1500."""
    routes = json.loads(await commands.run("ip", "-j", "-4", "route", "show", "default") or "[]")
    if not routes or "dev" not in routes[0]:
        return "", 1500
    name = str(routes[0]["dev"])
    return name, int(Path(f"/sys/class/net/{name}/mtu").read_text(encoding="ascii"))


def _forwarding(interface: str) -> str:
    if not interface:
        return ""
    return Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding").read_text(encoding="ascii").strip()


def _set_forwarding(interface: str, value: str) -> None:
    Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding").write_text(value, encoding="ascii")


def _forward_everything() -> None:
    for name, value in (
        ("ip_forward", "1"),
        ("conf/all/rp_filter", "0"),
        ("conf/default/rp_filter", "0"),
        ("ip_unprivileged_port_start", "0"),
    ):
        with open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:
            file.write(value)


def host_table(mesh: str, subnets: Subnets, peers: Iterable[str]) -> str:
    """The mesh's table on the host: what leaves wears the host's address, and this mesh reaches no other, nor any other it.

    Of a mesh that is a peer only Services can be reached, as load balancers of another network would be; its own table
    has to allow it as well.
    """
    link = link_name(mesh)
    allowed = "".join(
        f'    iifname "{link}" oifname "{link_name(peer)}" accept\n'
        f'    iifname "{link_name(peer)}" oifname "{link}" ct state established,related accept\n'
        f'    iifname "{link_name(peer)}" oifname "{link}" ip daddr {subnets.services} accept\n'
        for peer in peers
    )
    return (
        f"table ip mizzen-{mesh} {{\n"
        "  chain postrouting { type nat hook postrouting priority srcnat;\n"
        f'    ip saddr {subnets.network} oifname != "{link}" masquerade\n'
        "  }\n"
        "  chain isolated { type filter hook forward priority 0;\n"
        f"{allowed}"
        f'    iifname "{link}" oifname "mz-*" drop\n'
        f'    iifname "mz-*" oifname "{link}" drop\n'
        "  }\n"
        "}\n"
    )


def reachable(path: str) -> bool:
    """Whether a namespace file is a live namespace (a plain file is what a crash between two steps leaves)."""
    try:
        return os.stat(path).st_dev != os.stat(NAMESPACES.parent).st_dev
    except OSError:
        return False
