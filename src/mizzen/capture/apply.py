"""Rules into the kernel of the current network namespace, and out again (row TC-14).

The one place that runs ``iptables``; nothing here decides what is captured.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence

from mizzen.capture import nft
from mizzen.capture.options import Options
from mizzen.capture.rules import TABLES, Rule, chains, restore, rules
from mizzen.errors import LabError

WAIT = "--wait=30"
"""Seconds to wait for xtables' lock, which other processes of the machine share."""

_BUILT_IN = ("PREROUTING", "OUTPUT")


def apply(options: Options, report: Callable[[str], None], *, force: bool = False, reconcile: bool = False) -> None:
    """Make the namespace capture what ``options`` say. Rules that are there already are left alone.

    Different rules of an earlier run are replaced with ``reconcile`` or ``force``, else only reported.
    Raises LabError when iptables is missing or refuses.
    """
    variant = options.iptables_binary
    for version in families(options):
        wanted = rules(options, version)
        if not force and in_place(wanted, version, variant):
            report(f"IPv{version}: the rules are in place")
            continue
        if _ours(_save(version, variant)):
            if not (force or reconcile):
                report(f"IPv{version}: other rules are in place, and stay (use --reconcile to replace them)")
                continue
            _remove(wanted, version, variant)
        if version == 6:
            # Inbound connections of the proxy come from this address; unlike 127.0.0.6 it is not there by itself.
            _ip("-6", "addr", "replace", "::6/128", "dev", "lo")
        if options.tproxy:
            _tproxy_route(options, version)
        _run([_binary(version, "-restore", variant), "--noflush", WAIT], restore(wanted))
        report(f"IPv{version}: {len(wanted)} rules applied")


def apply_native(options: Options, report: Callable[[str], None]) -> None:
    """The same by nftables' own tool, which replaces all our tables in one transaction. Raises LabError."""
    for version in families(options):
        if version == 6:
            _ip("-6", "addr", "replace", "::6/128", "dev", "lo")
        if options.tproxy:
            _tproxy_route(options, version)
    _run([_tool("nft", "nftables"), "-f", "-"], nft.script(options))
    report(f"nftables: {len(nft.merged(options))} rules applied")


def clean(options: Options) -> None:
    """Take away every rule and chain of ours; what is not there is no error. Raises LabError."""
    if options.native_nftables:
        _run([_tool("nft", "nftables"), "-f", "-"], nft.cleanup())
        for version in families(options) if options.tproxy else ():
            _tproxy_clean(options, version)
        return
    for version in families(options):
        _remove(rules(options, version), version, options.iptables_binary)
        if options.tproxy:
            _tproxy_clean(options, version)


def families(options: Options) -> tuple[int, ...]:
    """IP versions that are captured."""
    return (4, 6) if options.ipv6 else (4,)


def in_place(wanted: Sequence[Rule], version: int, variant: str = "") -> bool:
    """Whether exactly these rules are in our chains, and our jumps in the built-in ones."""
    there = _ours(_save(version, variant))
    for table in TABLES:
        for chain in chains(list(wanted), table):
            count = sum(1 for rule in wanted if (rule.table, rule.chain) == (table, chain))
            if there.get((table, chain)) != count:
                return False
    mine = {(rule.table, rule.chain) for rule in wanted}
    if any(key not in mine for key in there):
        return False
    return all(_check(rule, version, variant) for rule in wanted)


def _remove(wanted: Sequence[Rule], version: int, variant: str) -> None:
    for rule in wanted:
        if rule.chain in _BUILT_IN:
            while _quiet(
                [_binary(version, "", variant), WAIT, "-t", rule.table, "-D", rule.chain, *shlex.split(rule.match)]
            ):
                pass
    saved = _save(version, variant)
    for table in TABLES:
        lines = saved.get(table, [])
        jumps = [
            f"-D{line[2:]}"
            for line in lines
            if line.startswith("-A ") and line.split()[1] in _BUILT_IN and " ISTIO_" in line
        ]
        mine = [line[1:].split()[0] for line in lines if line.startswith(":ISTIO_")]
        if jumps or mine:
            script = [f"*{table}", *jumps, *(f"-F {name}" for name in mine), *(f"-X {name}" for name in mine), "COMMIT"]
            _run([_binary(version, "-restore", variant), "--noflush", WAIT], "\n".join(script) + "\n")


def _ours(saved: dict[str, list[str]]) -> dict[tuple[str, str], int]:
    """How many rules each chain of ours has, by (table, chain)."""
    found: dict[tuple[str, str], int] = {}
    for table, lines in saved.items():
        for line in lines:
            if line.startswith(":ISTIO_"):
                found.setdefault((table, line[1:].split()[0]), 0)
            elif line.startswith("-A ISTIO_"):
                key = (table, line.split()[1])
                found[key] = found.get(key, 0) + 1
    return found


def _save(version: int, variant: str) -> dict[str, list[str]]:
    """``iptables-save`` by table."""
    found: dict[str, list[str]] = {}
    table = ""
    for line in _run([_binary(version, "-save", variant)]).splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith((":", "-A ")):
            found.setdefault(table, []).append(line)
    return found


def _check(rule: Rule, version: int, variant: str) -> bool:
    return _quiet([_binary(version, "", variant), WAIT, "-t", rule.table, "-C", rule.chain, *shlex.split(rule.match)])


def _tproxy_route(options: Options, version: int) -> None:
    _tproxy_clean(options, version)
    family = f"-{version}"
    _ip(family, "rule", "add", "fwmark", options.tproxy_mark, "lookup", options.tproxy_table)
    everything = "0.0.0.0/0" if version == 4 else "::/0"
    _ip(family, "route", "replace", "local", everything, "dev", "lo", "table", options.tproxy_table)


def _tproxy_clean(options: Options, version: int) -> None:
    family, ip = f"-{version}", _tool("ip", "iproute2")
    while _quiet([ip, family, "rule", "del", "fwmark", options.tproxy_mark, "lookup", options.tproxy_table]):
        pass
    _quiet([ip, family, "route", "flush", "table", options.tproxy_table])


def _ip(*args: str) -> None:
    _run([_tool("ip", "iproute2"), *args])


def _binary(version: int, suffix: str, variant: str) -> str:
    """``iptables-restore``, or ``iptables-legacy-restore`` where the kernel's older interface is forced."""
    kind = f"-{variant}" if variant else ""
    return _tool(("iptables" if version == 4 else "ip6tables") + kind + suffix, "iptables")


def _tool(name: str, package: str) -> str:
    # Root's sbin is not on everyone's PATH.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if found is None:
        raise LabError(
            f"{name} is not installed, so no traffic can be captured", f"install it: apt-get install {package}"
        )
    return found


def _run(command: Sequence[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        hint = "run as root, in the pod's network namespace" if "ermission denied" in done.stderr else ""
        raise LabError(f"{command[0]} failed: {said[0] if said else done.returncode}", hint)
    return done.stdout


def _quiet(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
