"""What a mesh does to the machine it runs on: one veth pair and what belongs to it, all undone; no file outside its state."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import NAMESPACES
from tests.e2e.mesh import MANIFESTS, Mesh, documents_of, read

pytestmark = pytest.mark.lab

SMALL = ("curl", "httpbin")
SYSCTLS = ("ipv4", "ipv6", "netfilter", "core")
PATHS = ("/", "/bin", "/dev", "/etc", "/home", "/lib", "/mnt", "/opt", "/opt/mizzen", "/run", "/run/secrets", "/srv")
MORE_PATHS = (
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/run",
)


def small() -> list[dict[str, Any]]:
    """Objects of a mesh of two pods with a sidecar."""
    return [*documents_of(NAMESPACES), *(d for name in SMALL for d in documents_of(MANIFESTS / f"{name}.yaml"))]


def output(*words: str) -> str:
    """What a command prints; what it is not able to tell is empty both before and after."""
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def of_others(name: str) -> bool:
    """Whether an interface belongs to another mesh, which may come and go beside the test."""
    return name.startswith("mz-")


def links() -> dict[str, Any]:
    """Interfaces by name with what is configured and not counted, other meshes left out."""
    found = json.loads(output("ip", "-j", "-d", "addr"))
    fields = ("flags", "mtu", "address", "addr_info", "master", "operstate")
    return {link["ifname"]: {name: link.get(name) for name in fields} for link in found}


def routes() -> list[str]:
    """Every route of every table, as text."""
    lines = output("ip", "route", "show", "table", "all") + output("ip", "-6", "route", "show", "table", "all")
    return sorted(line.strip() for line in lines.splitlines() if "expires" not in line)


def tables() -> list[str]:
    """nftables' tables, those of iptables-nft among them."""
    return sorted(output("nft", "list", "tables").splitlines())


def sysctls() -> dict[str, bytes]:
    """Every setting of the host's network but those of single interfaces' neighbours and of counters."""
    found = {}
    for area in SYSCTLS:
        for folder, folders, files in os.walk(f"/proc/sys/net/{area}"):
            folders[:] = [name for name in folders if name != "neigh" and not of_others(name)]
            for file in files:
                path = Path(folder, file)
                if file not in ("nf_conntrack_count", "stable_secret", "flush"):
                    found[str(path)] = read(path)
    return found


def snapshot() -> dict[str, Any]:
    """The host's network as a whole, without other meshes' own links."""
    return {
        "links": {name: link for name, link in links().items() if not of_others(name)},
        "routes": [route for route in routes() if " mz-" not in route],
        "rules": sorted(output("ip", "rule").splitlines()),
        "nft": [table for table in tables() if not table.startswith("table ip mizzen-")],
        "iptables": [line for line in output("iptables-save").splitlines() if not line.startswith(("#", ":"))],
        "sysctls": sysctls(),
    }


def differences(before: Any, after: Any) -> dict[str, Any]:
    """What is not the same, by part."""
    changed = {}
    for part in before:
        if before[part] != after[part]:
            old, new = before[part], after[part]
            if isinstance(old, dict):
                keys = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
                changed[part] = {key: (old.get(key), new.get(key)) for key in sorted(keys)}
            else:
                changed[part] = (sorted(set(old) - set(new)), sorted(set(new) - set(old)))
    return changed


def files() -> dict[str, set[str]]:
    """What lies in the directories of the host that pods have their own of."""
    found = {}
    for path in (*PATHS, *MORE_PATHS):
        found[path] = set(os.listdir(path)) if os.path.isdir(path) else set()
    return found


def test_only_one_veth_pair_touches_the_hosts_network_and_all_is_undone(new_mesh: Callable[[], Mesh]) -> None:
    before, own_before, tables_before = snapshot(), set(links()), set(tables())
    mesh = new_mesh()
    mesh.up(small())
    assert mesh.curl("http://httpbin:8000/get").code == 200
    during = snapshot()
    added = {name for name in set(links()) - own_before if mesh.name in name}
    assert len(added) == 1, f"one end of one veth pair: {added}"
    assert {table for table in set(tables()) - tables_before if mesh.name in table} <= {f"table ip mizzen-{mesh.name}"}
    changed = differences(before, during)
    forwarding = changed.pop("sysctls", {})
    assert all(key.endswith("/forwarding") for key in forwarding), forwarding
    assert not changed, "everything else of the host's network is as it was, also while the mesh runs"
    mesh.down(verify=True)
    assert not differences(before, snapshot())
    assert not {name for name in links() if mesh.name in name}


def test_no_file_of_the_host_outside_the_state_is_created(new_mesh: Callable[[], Mesh]) -> None:
    before = files()
    mesh = new_mesh()
    mesh.up(small())
    mesh.curl("http://httpbin:8000/get")
    during = files()
    new = {path: during[path] - before[path] for path in before if during[path] - before[path]}
    assert new.keys() <= {"/run", "/var/run"}, new
    assert set().union(*new.values()) <= {"mizzen", "netns"}, new
    mesh.down(verify=True)
    assert not list(Path("/run/mizzen").glob(f"*{mesh.name}*"))
    assert not list(Path("/run/netns").glob(f"*{mesh.name}*"))
    assert not mesh.state.exists() or not list(mesh.state.iterdir())
