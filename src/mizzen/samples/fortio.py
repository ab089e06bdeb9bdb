"""The parts of fortio that Istio's tasks use: ``load``, ``curl`` and ``server``.

``load [-c N] [-qps Q] [-n N | -t DURATION] [-H 'Name: value'] [-timeout D] [-json FILE] [-quiet] URL`` sends requests
over N kept-alive connections and prints counts by status, as ``Code 503 : 3 (10.0 %)``. ``-qps 0`` is as fast as can be,
``-t 0`` is until SIGINT, which also ends any other run early; what was counted by then is printed.

Not here: gRPC (``grpcping``, port 8079), HTTP/2, TLS, TCP and UDP load, the web interface, proxies, ``-stdclient``'s
difference. Flags of fortio that are not named above are accepted when they take no value or are listed in ``IGNORED``.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from mizzen.samples.fetch import FetchError, fetch, receive
from mizzen.samples.web import BadRequest, Request, Response, serve

IGNORED = frozenset({"-loglevel", "-p", "-r", "-jitter-max", "-runid", "-labels", "-a-file", "-resolution"})
KEPT_FAILURES = 20
FLAGS = {"-c": "4", "-qps": "8", "-n": "0", "-t": "5s", "-timeout": "3s", "-json": "", "-http-port": "8080"}


class Plan(NamedTuple):
    """What to send. ``seconds`` bounds the run when ``requests`` is 0; ``rate`` 0 means without a pause."""

    url: str
    connections: int
    rate: float
    requests: int
    seconds: float
    timeout: float
    headers: tuple[tuple[str, str], ...]


class Result(NamedTuple):
    """What came of it: answers by status (-1: no answer), each duration in seconds, and the sockets opened.

    ``failures`` tells the first few that were not 200: when (seconds after the begin), the status, and why.
    """

    codes: dict[int, int]
    durations: list[float]
    sockets: int
    seconds: float
    failures: list[tuple[float, int, str]]


def duration(text: str) -> float:
    """Seconds of a Go duration with one unit: 500ms, 5s, 2m, 1h; a bare number is seconds."""
    for unit, scale in (("ms", 0.001), ("us", 1e-6), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * scale
    return float(text)


class Connection:
    """One kept-alive connection; a request on a reused one that the peer had closed is sent once more on a new one."""

    def __init__(self, plan: Plan) -> None:
        where = urlsplit(plan.url)
        self._address = (where.hostname or "", where.port or 80)
        target = (where.path or "/") + (f"?{where.query}" if where.query else "")
        fields = [("host", where.netloc), ("user-agent", "fortio.org/mizzen"), *plan.headers]
        host = [value for name, value in plan.headers if name.lower() == "host"]
        if host:
            fields = [("host", host[-1]), *(field for field in fields if field[0].lower() != "host")]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self._data = f"GET {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1")
        self._timeout = plan.timeout
        self._socket: socket.socket | None = None
        self.opened = 0

    def request(self) -> tuple[int, str]:
        """Sends the request; the status and the begin of the body, or -1 and why there was no answer."""
        reused = self._socket is not None
        try:
            return self._once()
        except (OSError, FetchError, BadRequest) as error:
            self.close()
            if not reused or isinstance(error, TimeoutError):
                return -1, f"{type(error).__name__}: {error}"
        try:
            return self._once()
        except (OSError, FetchError, BadRequest) as error:
            self.close()
            return -1, f"{type(error).__name__}: {error} (on a new connection)"

    def _once(self) -> tuple[int, str]:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.opened += 1
        self._socket.sendall(self._data)
        # Answers are never pipelined, so nothing is left in this reader's buffer.
        with self._socket.makefile("rb") as reader:
            answer = receive(reader, "GET")
        if answer.headers.get("connection").lower() == "close":
            self.close()
        return answer.status, answer.body[:200].decode("utf-8", "replace")

    def close(self) -> None:
        """Closes the socket, if open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def load(plan: Plan, interrupted: threading.Event | None = None) -> Result:
    """Runs the plan: one thread per connection, requests at equal distances in time. ``interrupted`` ends it early."""
    stop = interrupted or threading.Event()
    lock = threading.Lock()
    codes: dict[int, int] = {}
    durations: list[float] = []
    opened: list[int] = []
    failures: list[tuple[float, int, str]] = []
    begin = time.monotonic()
    issued = 0

    def next_start() -> float | None:
        nonlocal issued
        with lock:
            number = issued
            after = number / plan.rate if plan.rate else time.monotonic() - begin
            over = number >= plan.requests if plan.requests else after >= plan.seconds
            if over or stop.is_set():
                return None
            issued += 1
            return begin + after

    def work() -> None:
        connection = Connection(plan)
        while (start := next_start()) is not None:
            time.sleep(max(0.0, start - time.monotonic()))
            sent = time.monotonic()
            code, text = connection.request()
            with lock:
                codes[code] = codes.get(code, 0) + 1
                durations.append(time.monotonic() - sent)
                if code != 200 and len(failures) < KEPT_FAILURES:
                    failures.append((sent - begin, code, text))
        connection.close()
        opened.append(connection.opened)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(plan.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Result(codes, durations, sum(opened), time.monotonic() - begin, failures)


def percentile(durations: list[float], part: float) -> float:
    """The duration that ``part`` (0 to 1) of all did not exceed."""
    ordered = sorted(durations)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def report(result: Result) -> str:
    """The summary in fortio's words."""
    total = sum(result.codes.values())
    average = sum(result.durations) / total if total else 0.0
    lines = [f"# target {part}% {percentile(result.durations, part / 100):.6f}" for part in (50, 75, 90, 99)]
    lines.append(f"Sockets used: {result.sockets}")
    for code, count in sorted(result.codes.items()):
        lines.append(f"Code {code:3d} : {count} ({100 * count / total:.1f} %)")
    rate = total / result.seconds if result.seconds else 0.0
    lines.append(f"All done {total} calls (plus 0 warmup) {average * 1000:.3f} ms avg, {rate:.1f} qps")
    return "\n".join(lines)


def parse(arguments: list[str]) -> tuple[dict[str, str], list[tuple[str, str]], list[str]]:
    """Flags, header fields and the rest."""
    flags, headers, rest = dict(FLAGS), [], []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        name = "-" + name.lstrip("-") if word.startswith("-") else name
        if not word.startswith("-"):
            rest.append(word)
        elif name == "-H":
            field, _, text = (value if equals else next(words, "")).partition(":")
            headers.append((field.strip(), text.strip()))
        elif name in FLAGS or name in IGNORED:
            flags[name] = value if equals else next(words, "")
        elif name in ("-quiet", "-allow-initial-errors", "-stdclient", "-keepalive", "-a", "-uniform", "-nocatchup"):
            flags[name] = "true"
        else:
            raise SystemExit(f"fortio: flag {word} is not supported")
    return flags, headers, rest


def plan_of(arguments: list[str]) -> tuple[Plan, str]:
    """The plan of ``load``'s arguments, and where its JSON goes."""
    flags, headers, rest = parse(arguments)
    if len(rest) != 1:
        raise SystemExit("fortio load: exactly one URL is needed")
    url = rest[0] if "://" in rest[0] else f"http://{rest[0]}"
    try:
        seconds, timeout = duration(flags["-t"]), duration(flags["-timeout"])
        rate, count, connections = float(flags["-qps"]), int(flags["-n"]), int(flags["-c"])
    except ValueError as error:
        raise SystemExit(f"fortio load: {error}") from error
    endless = float("inf") if seconds <= 0 else seconds
    return Plan(url, max(1, connections), max(0.0, rate), count, endless, timeout, tuple(headers)), flags["-json"]


def load_command(arguments: list[str]) -> None:
    """``fortio load``."""
    plan, target = plan_of(arguments)
    interrupted = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    result = load(plan, interrupted)
    if target != "-":
        print(report(result), flush=True)
    if target:
        document = {
            "RetCodes": {str(code): count for code, count in sorted(result.codes.items())},
            "ActualQPS": sum(result.codes.values()) / result.seconds if result.seconds else 0.0,
            "Sockets": result.sockets,
            "Failures": [{"at": round(at, 3), "code": code, "text": text} for at, code, text in result.failures],
            "P99Seconds": percentile(result.durations, 0.99),
        }
        with open(1 if target == "-" else target, "w", encoding="utf-8", closefd=target != "-") as file:
            file.write(json.dumps(document) + "\n")


def curl_command(arguments: list[str]) -> None:
    """``fortio curl``: status and header fields on stderr, the body on stdout."""
    flags, headers, rest = parse(arguments)
    if len(rest) != 1:
        raise SystemExit("fortio curl: exactly one URL is needed")
    try:
        answer = fetch(
            rest[0] if "://" in rest[0] else f"http://{rest[0]}", headers, timeout=duration(flags["-timeout"])
        )
    except FetchError as error:
        raise SystemExit(f"fortio curl: {error}") from error
    if "-quiet" not in flags:
        print(
            f"HTTP/1.1 {answer.status}",
            *(f"{name}: {value}" for name, value in answer.headers),
            sep="\n",
            file=sys.stderr,
        )
    sys.stdout.buffer.write(answer.body)
    sys.stdout.flush()
    if answer.status >= 400:
        raise SystemExit(1)


def handle(request: Request) -> Response:
    """The echo server: the body comes back; ``?status=503&delay=100ms&size=5000&header=Name:value`` shape the answer."""

    def option(name: str, default: str) -> str:
        return request.query.get(name, [default])[0]

    if request.path.startswith("/debug"):
        lines = [f"{request.method} {request.target}", *(f"{name}: {value}" for name, value in request.headers)]
        return Response(200, ("\n".join(lines) + "\n\n").encode() + request.body)
    try:
        status, size, wait = int(option("status", "200")), int(option("size", "-1")), duration(option("delay", "0s"))
    except ValueError as error:
        raise BadRequest(400, str(error)) from error
    time.sleep(min(max(wait, 0.0), 30.0))
    pairs = (field.partition(":") for field in request.query.get("header", []))
    fields = tuple((name.strip(), value.strip()) for name, _, value in pairs if name.strip())
    if any(end in name + value for name, value in fields for end in "\r\n"):
        raise BadRequest(400, "not a header field")
    body = request.body if size < 0 else b"x" * min(size, 10 * 1024 * 1024)
    return Response(status if 200 <= status <= 599 else 400, body, headers=fields)


def main(arguments: list[str]) -> None:
    """Runs one command."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("server", [])
    if command == "load":
        load_command(rest)
    elif command == "curl":
        curl_command(rest)
    elif command == "server":
        flags, _, _ = parse(rest)
        port = flags["-http-port"].rpartition(":")[2] or os.environ.get("PORT", "8080")
        serve(handle, [int(port)], "fortio")
    else:
        raise SystemExit(f"fortio: command {command} is not supported (load, curl, server are)")


if __name__ == "__main__":
    main(sys.argv[1:])
