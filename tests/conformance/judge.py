"""Does what was seen hold what was expected? Pure: results in, complaints out."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Json = dict[str, Any]
_TOL = 8.0
_TCP = re.compile(r"service=(\S+) version=(\S+) pod=(\S+) local_port=(\d+) remote=(\S+)")
_PROTOCOLS = {"h2": "http/2", "h2c": "http/2", "http/2.0": "http/2", "http2": "http/2", "http1.1": "http/1.1"}


@dataclass
class Seen:
    """One call's results and what the mesh noted meanwhile.

    ``records`` are the requests that reached echo servers, ``log`` the caller's access log; ``mutual`` tells of TCP calls whether the backend's
    proxy saw mutual TLS (None: not looked at).
    """

    results: list[Json]
    records: list[Json] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    mutual: bool | None = None

    @cached_property
    def echoes(self) -> list[Json]:
        """What each echo server said, {} where none answered."""
        return [_echo(result) for result in self.results]

    def values(self, name: str) -> list[Any]:
        return [echo.get(name) for echo in self.echoes]

    def summary(self) -> str:
        """For the person who reads a failure."""
        outcomes = Counter(_outcome(result) for result in self.results)
        who = Counter(f"{e['service']}-{e['version']}" for e in self.echoes if e.get("service"))
        parts = [f"{text} x{count}" if count > 1 else text for text, count in outcomes.most_common(4)]
        if who:
            parts.append("by " + ", ".join(f"{name} x{count}" if count > 1 else name for name, count in who.items()))
        return "; ".join(parts)


def _echo(result: Json) -> Json:
    if match := _TCP.search(result.get("tcp") or ""):
        return {
            "service": match[1],
            "version": match[2],
            "pod": match[3],
            "local_port": int(match[4]),
            "remote": match[5],
            "headers": {},
        }
    try:
        document = json.loads(result.get("body") or "")
    except ValueError:
        return {}
    return document if isinstance(document, dict) and "service" in document else {}


def _outcome(result: Json) -> str:
    if "error" in result:
        return f"error ({str(result['error'])[:110]})"
    for name in ("grpc", "status", "dns"):
        if name in result:
            return f"{name} {result[name]}"
    return f"tcp {str(result.get('tcp'))[:60]!r}"


def judge(expect: Json, seen: Seen) -> list[str]:
    """What does not hold, as ``word: expected …, seen …``; empty when all does."""
    if not seen.results:
        return ["no call was made"]
    problems = []
    for word, wanted in expect.items():
        if word in ("tol", "eventually"):
            continue
        check = _CHECKS.get(word)
        found = f"the judge does not know {word}" if check is None else check(wanted, seen, expect)
        if found:
            problems.append(f"{word}: expected {json.dumps(wanted)}, seen {found}")
    return problems


Check = Callable[[Any, Seen, Json], str]
"""(expected, seen, the whole expectation) -> what was seen instead, or an empty text."""


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _counted(values: Sequence[Any]) -> str:
    return ", ".join(f"{value!r} x{count}" for value, count in Counter(map(str, values)).most_common(5)) or "nothing"


def _status(wanted: Any, seen: Seen, _all: Json) -> str:
    codes = {int(code) for code in _many(wanted)}
    return "" if all(result.get("status") in codes for result in seen.results) else seen.summary()


def _error(wanted: Any, seen: Seen, _all: Json) -> str:
    return "" if all(("error" in result) == bool(wanted) for result in seen.results) else seen.summary()


def _grpc(wanted: Any, seen: Seen, _all: Json) -> str:
    codes = {int(code) for code in _many(wanted)}
    return "" if all(_grpc_code(result) in codes for result in seen.results) else seen.summary()


def _grpc_code(result: Json) -> int:
    return int(result.get("grpc", 14 if "error" in result else -1))


def _error_or_status(wanted: Any, seen: Seen, _all: Json) -> str:
    codes = {int(code) for code in _many(wanted)}
    good = all("error" in result or result.get("status") in codes for result in seen.results)
    return "" if good else seen.summary()


def _some_status(wanted: Any, seen: Seen, _all: Json) -> str:
    codes = {result.get("status") for result in seen.results}
    return "" if {int(code) for code in _many(wanted)} <= codes else seen.summary()


def _shares(wanted: Json, counts: Counter[str], total: int, tol: float) -> str:
    for name, percent in wanted.items():
        if abs(100.0 * counts[str(name)] / max(total, 1) - float(percent)) > tol:
            return ", ".join(f"{k} {100.0 * v / max(total, 1):.1f} %" for k, v in counts.items()) or "nothing"
    return ""


def _tol(expect: Json) -> float:
    return float(expect.get("tol", _TOL))


def _status_share(wanted: Json, seen: Seen, expect: Json) -> str:
    counts = Counter(str(result.get("status", "error")) for result in seen.results)
    return _shares(wanted, counts, len(seen.results), _tol(expect))


def _status_count(wanted: Json, seen: Seen, expect: Json) -> str:
    counts = Counter(str(result.get("status", "error")) for result in seen.results)
    tol = float(expect.get("tol", 0))
    good = all(abs(counts[str(code)] - float(count)) <= tol for code, count in wanted.items())
    return "" if good else _counted([result.get("status", "error") for result in seen.results])


def _share(wanted: Json, seen: Seen, expect: Json) -> str:
    by = [Counter(str(e.get(name) or "none") for e in seen.echoes) for name in ("version", "service")]
    answers = [_shares(wanted, counts, len(seen.results), _tol(expect)) for counts in by]
    return "" if "" in answers else answers[0 if any(name in by[0] for name in wanted) else 1]


def _each(name: str) -> Check:
    def check(wanted: Any, seen: Seen, _all: Json) -> str:
        allowed = {str(value) for value in _many(wanted)}
        values = seen.values(name)
        return "" if all(value is not None and str(value) in allowed for value in values) else _or_outcome(values, seen)

    return check


def _or_outcome(values: Sequence[Any], seen: Seen) -> str:
    return seen.summary() if all(value is None for value in values) else _counted(values)


def _services_seen(wanted: Any, seen: Seen, _all: Json) -> str:
    found = {value for value in seen.values("service") if value}
    return "" if found == set(_many(wanted)) else _counted(seen.values("service"))


def _saw(wanted: Json, seen: Seen, _all: Json) -> str:
    for name, value in wanted.items():
        found = [(echo.get("headers") or {}).get(name.lower()) for echo in seen.echoes]
        if any(text is None or text != str(value) for text in found):
            return f"{name}: {_or_outcome(found, seen)}"
    return ""


def _saw_not(wanted: Any, seen: Seen, _all: Json) -> str:
    for name in _many(wanted):
        found = [(echo.get("headers") or {}).get(str(name).lower()) for echo in seen.echoes]
        if not all(seen.echoes):
            return seen.summary()
        if any(text is not None for text in found):
            return f"{name}: {_counted(found)}"
    return ""


def _saw_has_not(wanted: Json, seen: Seen, _all: Json) -> str:
    for name, text in wanted.items():
        found = [(echo.get("headers") or {}).get(name.lower()) or "" for echo in seen.echoes]
        if not all(seen.echoes):
            return seen.summary()
        if any(str(text) in value for value in found):
            return f"{name}: {_counted(found)}"
    return ""


def _resp(wanted: Json, seen: Seen, _all: Json) -> str:
    for name, value in wanted.items():
        found = [(result.get("headers") or {}).get(name.lower()) for result in seen.results]
        if any(text is None or text != str(value) for text in found):
            return f"{name}: {_or_outcome(found, seen)}"
    return ""


def _resp_not(wanted: Any, seen: Seen, _all: Json) -> str:
    for name in _many(wanted):
        found = [(result.get("headers") or {}).get(str(name).lower()) for result in seen.results]
        if any("headers" not in result for result in seen.results):
            return seen.summary()
        if any(text is not None for text in found):
            return f"{name}: {_counted(found)}"
    return ""


def _path(wanted: str, seen: Seen, _all: Json) -> str:
    values = [value if "?" in wanted or value is None else value.partition("?")[0] for value in seen.values("path")]
    return "" if all(value == wanted for value in values) else _or_outcome(values, seen)


def _protocol_seen(wanted: str, seen: Seen, _all: Json) -> str:
    values = seen.values("protocol")
    good = all(value is not None and _protocol(value) == _protocol(wanted) for value in values)
    return "" if good else _or_outcome(values, seen)


def _protocol(text: str) -> str:
    return _PROTOCOLS.get(str(text).lower(), str(text).lower())


def _body_has(wanted: Any, seen: Seen, _all: Json) -> str:
    texts = [str(result.get("body") or result.get("tcp") or "") for result in seen.results]
    good = all(str(part) in text for part in _many(wanted) for text in texts)
    return "" if good else _counted([text[:120] for text in texts])


def _location(wanted: str, seen: Seen, _all: Json) -> str:
    return _resp({"location": wanted}, seen, {})


def _min_ms(wanted: Any, seen: Seen, _all: Json) -> str:
    least = min(float(result.get("ms", 0)) for result in seen.results)
    return "" if least >= float(wanted) else f"{least:.0f} ms"


def _max_ms(wanted: Any, seen: Seen, _all: Json) -> str:
    most = max(float(result.get("ms", 0)) for result in seen.results)
    return "" if most <= float(wanted) else f"{most:.0f} ms"


def _attempts(wanted: Json, seen: Seen, _all: Json) -> str:
    counts = Counter(record.get("key") for record in seen.records if record.get("key"))
    return "" if all(counts[key] == int(number) for key, number in wanted.items()) else (str(dict(counts)) or "none")


def _attempt_pods_distinct(wanted: Any, seen: Seen, _all: Json) -> str:
    pods: dict[str, list[str]] = {}
    for record in seen.records:
        if record.get("key"):
            pods.setdefault(record["key"], []).append(record["pod"])
    if not pods:
        return "no request with a key"
    distinct = all(len(set(found)) == len(found) for found in pods.values())
    return "" if distinct == bool(wanted) else str(pods)


def _same_pod(wanted: Any, seen: Seen, _all: Json) -> str:
    pods = seen.values("pod")
    good = None not in pods and (len(set(pods)) == 1) == bool(wanted)
    return "" if good else _or_outcome(pods, seen)


def _pods(wanted: Any, seen: Seen, _all: Json) -> str:
    pods = {pod for pod in seen.values("pod") if pod}
    return "" if len(pods) == int(wanted) else f"{len(pods)} ({', '.join(sorted(pods)) or seen.summary()})"


def _mtls(wanted: Any, seen: Seen, _all: Json) -> str:
    if not all(seen.echoes):
        return seen.summary()
    peers = [str(peer or "") for peer in seen.values("peer")]
    # TLS of the app's own is bytes to its proxy: no header says who called.
    if any("tcp" in result for result in seen.results) or (seen.mutual is not None and not any(peers)):
        mutual = seen.mutual
        return "" if mutual == bool(wanted) else f"mutual TLS at the backend's proxy: {mutual}"
    return "" if all(bool(peer) == bool(wanted) for peer in peers) else f"peer {_counted(peers)}"


def _mirrored(wanted: Json, seen: Seen, expect: Json) -> str:
    counts = Counter(record["service"] for record in seen.records)
    answered = Counter(value for value in seen.values("service") if value)
    shares = Counter({name: counts[name] - answered[name] for name in wanted})
    total = len(seen.results)
    if any(abs(100.0 * shares[name] / total - float(percent)) > _tol(expect) for name, percent in wanted.items()):
        return ", ".join(f"{name} {100.0 * number / total:.0f} %" for name, number in shares.items())
    return ""


def _dns(wanted: Any, seen: Seen, _all: Json) -> str:
    good = all(set(result.get("dns", ["no answer"])) == set(_many(wanted)) for result in seen.results)
    return "" if good else seen.summary()


def flags(line: str) -> set[str]:
    """The response flags of a line of Istio's default access log, as text (``… "GET / HTTP/1.1" 503 UO,URX …``) or as JSON."""
    if line.startswith("{"):
        try:
            told = json.loads(line).get("response_flags")
        except ValueError:
            return set()
        return set(str(told).split(",")) if told else set()
    match = re.match(r'(?:\[[^\]]*\] )?"[^"]*" \d+ (\S+)', line)
    return set(match[1].split(",")) if match else set()


def _resp_flag(wanted: Any, seen: Seen, _all: Json) -> str:
    found = Counter(flag for line in seen.log for flag in flags(line))
    good = all(found[str(flag)] for flag in _many(wanted))
    return "" if good else (_counted(list(found.elements())) if found else "no line in the access log")


def _alpn_seen(wanted: Any, seen: Seen, _all: Json) -> str:
    return _each("alpn")(wanted, seen, {})


_CHECKS: dict[str, Check] = {
    "status": _status,
    "error": _error,
    "grpc": _grpc,
    "error_or_status": _error_or_status,
    "some_status": _some_status,
    "status_share": _status_share,
    "status_count": _status_count,
    "version": _each("version"),
    "service": _each("service"),
    "share": _share,
    "services_seen": _services_seen,
    "saw": _saw,
    "saw_not": _saw_not,
    "saw_has_not": _saw_has_not,
    "resp": _resp,
    "resp_not": _resp_not,
    "path": _path,
    "host": _each("host"),
    "method_seen": _each("method"),
    "protocol_seen": _protocol_seen,
    "sni_seen": _each("sni"),
    "body_has": _body_has,
    "location": _location,
    "min_ms": _min_ms,
    "max_ms": _max_ms,
    "attempts": _attempts,
    "attempt_pods_distinct": _attempt_pods_distinct,
    "same_pod": _same_pod,
    "pods": _pods,
    "mtls": _mtls,
    "peer": _each("peer"),
    "mirrored": _mirrored,
    "dns": _dns,
    "resp_flag": _resp_flag,
    "alpn_seen": _alpn_seen,
    "server_tls": _each("tls"),
    "local_port": _each("local_port"),
}
