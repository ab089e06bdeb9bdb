"""The same rules for ``--native-nftables``: one script for ``nft -f``, in tables of the family ``inet`` (row TC-11).

Each rule of ``capture/rules.py`` is translated; what holds for both address families is written once.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher

from mizzen.capture.options import Options
from mizzen.capture.rules import Rule, rules

TABLES = {"nat": "istio-proxy-nat", "mangle": "istio-proxy-mangle", "raw": "istio-proxy-raw"}
_HOOKS = {
    ("nat", "PREROUTING"): "type nat hook prerouting priority -100 ;",
    ("nat", "OUTPUT"): "type nat hook output priority -100 ;",
    ("mangle", "PREROUTING"): "type filter hook prerouting priority -150 ;",
    ("mangle", "OUTPUT"): "type route hook output priority -150 ;",
    ("raw", "PREROUTING"): "type filter hook prerouting priority -300 ;",
    ("raw", "OUTPUT"): "type filter hook output priority -300 ;",
}
_IP = {4: "ip", 6: "ip6"}


def script(options: Options) -> str:
    """The text for ``nft -f``, which replaces all three tables in one transaction."""
    found = merged(options)
    lines: list[str] = []
    for table, name in TABLES.items():
        lines += [f"add table inet {name}", f"delete table inet {name}"]
        mine = [(chain, text) for of, chain, text in found if of == table]
        if not mine:
            continue
        lines.append(f"add table inet {name}")
        for chain in _chains(table, mine):
            hook = _HOOKS.get((table, chain))
            lines.append(f"add chain inet {name} {_name(chain)}" + (f" {{ {hook} }}" if hook else ""))
        lines += [f"add rule inet {name} {_name(chain)} {text}" for chain, text in mine]
    return "\n".join(lines) + "\n"


def cleanup() -> str:
    """The text that takes all of it away; what is not there is no error."""
    return "".join(f"add table inet {name}\ndelete table inet {name}\n" for name in TABLES.values())


def merged(options: Options) -> list[tuple[str, str, str]]:
    """(table, chain, rule in nft's words) of both families, in order."""
    versions = (4, 6) if options.ipv6 else (4,)
    return list(_both([_translated(_placed(rules(options, version)), version) for version in versions]))


def _both(families: list[list[tuple[str, str, str]]]) -> Iterator[tuple[str, str, str]]:
    """Equal rules once. Rules of one family that name no address of it are kept to it."""
    if len(families) == 1:
        yield from families[0]
        return
    four, six = families
    for kind, a, b, c, d in SequenceMatcher(None, four, six, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from four[a:b]
        else:
            yield from (_bound(rule, 4) for rule in four[a:b])
            yield from (_bound(rule, 6) for rule in six[c:d])


def _bound(rule: tuple[str, str, str], version: int) -> tuple[str, str, str]:
    table, chain, text = rule
    words = text.split()
    # A jump to a chain whose rules all name an address of the family needs no guard of its own.
    if _IP[version] in words or (table == "raw" and "jump" in words) or words[-1] == "istio-output-dns":
        return rule
    return table, chain, f"meta nfproto ipv{version} {text}"


def _placed(found: list[Rule]) -> list[Rule]:
    """Inserted rules at the place where they end up."""
    chains: dict[tuple[str, str], list[Rule]] = {}
    for rule in found:
        chain = chains.setdefault((rule.table, rule.chain), [])
        chain.insert(rule.insert - 1 if rule.insert else len(chain), rule)
    return [rule for chain in chains.values() for rule in chain]


def _translated(found: Iterable[Rule], version: int) -> list[tuple[str, str, str]]:
    return [(rule.table, rule.chain, statement(rule.match, version)) for rule in found]


def _chains(table: str, mine: list[tuple[str, str]]) -> list[str]:
    """Those with rules and those jumped to, the hooked ones first."""
    names = dict.fromkeys(chain for chain, _ in mine)
    jumps = (text.split()[-1] for _, text in mine if " jump " in f" {text}")
    names |= dict.fromkeys(name.upper().replace("-", "_") for name in jumps)
    return sorted(names, key=lambda chain: ((table, chain) not in _HOOKS, list(names).index(chain)))


def _name(chain: str) -> str:
    return chain.lower().replace("_", "-")


def statement(match: str, version: int) -> str:
    """One rule of iptables in nft's words: what is matched, a counter, what is done.

    Raises ValueError for a word that our rules do not use.
    """
    words = shlex.split(match)
    found: list[str] = []
    protocol, negated, at = "", False, 0
    while at < len(words):
        word = words[at]
        if word == "!":
            negated, at = True, at + 1
            continue
        if word == "-j":
            return " ".join([*found, *_verdict(words[at + 1 :], version)])
        if word == "-m":
            at += 2
            continue
        if word not in _MATCHES:
            raise ValueError(f"no translation of {word!r} in {match!r}")
        value = words[at + 1]
        if word == "-p":
            protocol = value
        found.append(_MATCHES[word](value, "!= " if negated else "", protocol, version, "connmark" in words[: at + 1]))
        negated, at = False, at + 2
    raise ValueError(f"{match!r} does nothing")


_Match = Callable[[str, str, str, int, bool], str]
_MATCHES: dict[str, _Match] = {
    "-p": lambda value, no, _p, _v, _c: f"meta l4proto {no}{value}",
    "-i": lambda value, no, _p, _v, _c: f"iifname {no}{value}",
    "-o": lambda value, no, _p, _v, _c: f"oifname {no}{value}",
    "-s": lambda value, no, _p, v, _c: f"{_IP[v]} saddr {no}{value}",
    "-d": lambda value, no, _p, v, _c: f"{_IP[v]} daddr {no}{value}",
    "--dport": lambda value, no, p, _v, _c: f"{p} dport {no}{value}",
    "--sport": lambda value, no, p, _v, _c: f"{p} sport {no}{value}",
    "--dports": lambda value, no, p, _v, _c: f"{p} dport {no}{{ {', '.join(value.split(','))} }}",
    "--uid-owner": lambda value, no, _p, _v, _c: f"meta skuid {no}{value}",
    "--gid-owner": lambda value, no, _p, _v, _c: f"meta skgid {no}{value}",
    "--ctstate": lambda value, no, _p, _v, _c: f"ct state {no}{value.lower()}",
    "--mark": lambda value, no, _p, _v, c: f"{'ct' if c else 'meta'} mark {no}{value}",
}


def _verdict(words: list[str], version: int) -> list[str]:
    """What follows ``-j``."""
    options = dict(zip(words[1::2], words[2::2], strict=False))
    match words[0]:
        case "RETURN" | "ACCEPT" | "DROP":
            return ["counter", words[0].lower()]
        case "REDIRECT":
            return ["counter", "redirect", "to", ":" + (options.get("--to-ports") or options["--to-port"])]
        case "MARK":
            return ["counter", "meta", "mark", "set", options["--set-mark"]]
        case "CT":
            return ["counter", "ct", "zone", "set", options["--zone"]]
        case "CONNMARK":
            saves = "--save-mark" in words
            return ["counter", *(("ct mark set mark" if saves else "meta mark set ct mark").split())]
        case "TPROXY":
            mark = options["--tproxy-mark"].partition("/")[0]
            to = f"tproxy {_IP[version]} to :{options['--on-port']} meta mark set {mark} counter accept"
            return to.split()
        case chain:
            return ["counter", "jump", _name(chain)]
