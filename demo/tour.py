"""The tour: brings up Bookinfo in a mesh on this machine and shows, each line measured live, what the mesh does.

Unattended. Exits 0 when every line is true, 1 when any is not, 2 when the mesh could not be started. The mesh named
``demo`` (or what ``MIZZEN_DEMO`` says) is left running; one that runs already is taken down first, so that the tour
starts from a known state.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MIZZEN = ROOT / ".venv" / "bin" / "mizzen"
SAMPLES = ROOT / "src" / "mizzen" / "samples" / "manifests"
RULES = ROOT / "demo" / "rules"
MESH = os.environ.get("MIZZEN_DEMO") or "demo"
MANIFESTS = ("bookinfo", "bookinfo-gateway", "destination-rule-all", "httpbin", "curl")
SIDECARS = ("curl", "details-v1", "httpbin", "productpage-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3")
UP_SECONDS = 60.0
SETTLE_SECONDS = 10.0
"""How long a change may take to be seen. What it really took is printed."""
CANARY_REQUESTS = 1000


class Stop(Exception):
    """The tour cannot go on."""


def run(*arguments: str, seconds: float = 30.0) -> subprocess.CompletedProcess[str]:
    """Runs ``mizzen``; the name of the mesh is put behind the verb. Never raises for what the command answers."""
    command = [str(MIZZEN), arguments[0], "--mesh", MESH, *arguments[1:]]
    # Files and not pipes: a daemon that kept a pipe open would keep us waiting for its end.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            code = subprocess.run(command, stdout=out, stderr=err, timeout=seconds, stdin=subprocess.DEVNULL).returncode
        except subprocess.TimeoutExpired:
            code = 124
            err.write(f"no end after {seconds:g} s: mizzen {' '.join(arguments)}")
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


def apply(name: str) -> float:
    """Applies a rule, waits until every proxy concerned has it, and gives the seconds that took."""
    begin = time.monotonic()
    done = run("apply", "--wait", "--timeout", "15s", "-f", str(RULES / f"{name}.yaml"))
    if done.returncode:
        raise Stop(f"mizzen apply -f demo/rules/{name}.yaml: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - begin


def delete(name: str) -> None:
    """Takes a rule back."""
    done = run("delete", "--wait", "--timeout", "15s", "-f", str(RULES / f"{name}.yaml"))
    if done.returncode:
        raise Stop(f"mizzen delete -f demo/rules/{name}.yaml: exit {done.returncode}\n{done.stdout}{done.stderr}")


def curl(workload: str, *arguments: str, namespace: str = "default") -> tuple[int, float, str]:
    """HTTP status (0: no answer), seconds and body of one request made by curl inside a pod."""
    done = run(
        *("exec", "-n", namespace, f"deploy/{workload}", "--"),
        *("curl", "-s", "--max-time", "10", "-w", "\n%{http_code} %{time_total}", *arguments),
    )
    body, _, last = done.stdout.rpartition("\n")
    words = last.split()
    if len(words) != 2 or not words[0].isdigit():
        return 0, 0.0, done.stderr.strip()
    return int(words[0]), float(words[1]), body


def eventually(probe: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = SETTLE_SECONDS) -> Any:
    """Asks until the answer is as wanted or the time is over; the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if wanted(answer) or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


class Tour:
    """Prints lines and remembers whether all were true."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.shown = 0
        self.untrue: list[str] = []

    def head(self, text: str) -> None:
        """A new topic."""
        print(f"\n{text}", flush=True)

    def line(self, true: bool, text: str, measured: str) -> None:
        """One statement and what was measured."""
        self.shown += 1
        if not true:
            self.untrue.append(f"{text}: {measured}")
        print(f"  {'✓' if true else '✗'} {text:<62} {measured}", flush=True)


def status() -> dict[str, Any]:
    """``mizzen ps -o json``, or an empty document when the mesh does not run."""
    done = run("ps", "-o", "json")
    try:
        document = json.loads(done.stdout) if done.returncode == 0 else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def start(tour: Tour) -> None:
    """Brings the mesh up from nothing."""
    if status().get("pods"):
        print(f"a mesh named {MESH} runs already: taking it down first", flush=True)
    # Also when none runs: objects of an earlier tour may lie in the state directory.
    down = run("down", "--purge", seconds=30)
    if down.returncode:
        raise Stop(f"mizzen down: exit {down.returncode}\n{down.stderr}")
    tour.begin = begin = time.monotonic()
    manifests = [ROOT / "demo" / "namespaces.yaml", *(SAMPLES / f"{name}.yaml" for name in MANIFESTS)]
    files = [argument for path in manifests for argument in ("-f", str(path))]
    up = run("up", "--detach", *files, seconds=UP_SECONDS)
    if up.returncode:
        raise Stop(f"mizzen up: exit {up.returncode}\n{up.stdout}{up.stderr}")
    took = time.monotonic() - begin
    pods = status().get("pods", [])
    mine = {
        name: pod
        for name in SIDECARS
        for pod in pods
        if pod["name"].startswith(f"{name}-") and pod["namespace"] == "default"
    }
    for name in SIDECARS:
        pod = mine.get(name, {})
        envoy = (pod.get("pids") or {}).get("envoy")
        true = pod.get("ready") is True and bool(envoy)
        tour.line(
            true, f"{pod.get('name', name)} is ready, with its sidecar", f"{pod.get('ip')}, Envoy is process {envoy}"
        )
    ready = sum(pod.get("ready") is True for pod in pods)
    tour.line(
        ready == len(pods) > len(SIDECARS),
        "the whole mesh is ready, control plane and gateways included",
        f"{ready} of {len(pods)} pods, {took:.1f} s",
    )


def localhost_url() -> str:
    """Where the ingress gateway listens on the loopback."""
    for gateway in status().get("gateways", []):
        port = (gateway.get("localhost") or {}).get("80")
        if port:
            return f"http://127.0.0.1:{port}"
    raise Stop("mizzen ps names no port of the ingress gateway on localhost")


def browse(url: str, cookie: str = "") -> tuple[int, str]:
    """Status and text of a page, from this machine through the ingress gateway; status 0 without an answer."""
    request = urllib.request.Request(f"{url}/productpage", headers={"cookie": cookie} if cookie else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except OSError as error:
        return 0, str(error)


def login(url: str, user: str) -> str:
    """The session cookie of a user, got from productpage's login."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    opener = urllib.request.build_opener(Stay)
    try:
        opener.open(f"{url}/login", data=f"username={user}&passwd=x".encode(), timeout=10).close()
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers.get("set-cookie", "")).partition(";")[0]
    return ""


def identities(tour: Tour, url: str) -> None:
    """Who each service sees as its caller: the programs log the identity that their sidecar tells them."""
    code, _ = eventually(lambda: browse(url), lambda answer: answer[0] == 200)
    tour.line(code == 200, "the page answers through the ingress gateway", f"HTTP {code} at {url}/productpage")
    # Enough that each of the three versions of reviews is chosen.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: browse(url), range(24)))
    calls = {
        "productpage-v1": ("GET /productpage", "istio-system/sa/"),
        "details-v1": ("GET /details/0", "default/sa/bookinfo-productpage"),
        "reviews-v1": ("GET /reviews/0", "default/sa/bookinfo-productpage"),
        "ratings-v1": ("GET /ratings/0", "default/sa/bookinfo-reviews"),
    }

    def seen(workload: str, what: str) -> str:
        text = run("logs", f"deploy/{workload}").stdout
        found = re.findall(rf"{what} 200 (spiffe://\S+)", text)
        return found[-1] if found else "no identity"

    with ThreadPoolExecutor(len(calls)) as pool:
        results = pool.map(lambda item: (item[0], item[1][1], seen(item[0], item[1][0])), calls.items())
    for workload, account, identity in results:
        expected = f"spiffe://cluster.local/ns/{account}"
        true = identity == expected or (expected.endswith("/") and identity.startswith(expected))
        tour.line(true, f"{workload} sees the caller's identity", identity)


def strictness(tour: Tour) -> None:
    """Plaintext from a pod without a sidecar, under PERMISSIVE and under STRICT."""
    target = "http://httpbin.default:8000/status/200"
    code, _, _ = eventually(lambda: curl("curl", target, namespace="plain"), lambda answer: answer[0] == 200)
    tour.line(code == 200, "PERMISSIVE: plaintext from a pod without sidecar is accepted", f"HTTP {code}")
    took = apply("strict")
    code, _, _ = eventually(lambda: curl("curl", target, namespace="plain"), lambda answer: answer[0] == 0)
    tour.line(
        code == 0,
        "STRICT: the same request is refused",
        f"{'connection reset' if code == 0 else f'HTTP {code}'}, in force after {took:.2f} s",
    )
    code, _, _ = curl("curl", target)
    tour.line(code == 200, "STRICT: a pod with a sidecar goes on as before", f"HTTP {code}")
    delete("strict")


def canary(tour: Tour) -> None:
    """Weights, counted."""
    apply("canary")
    begin = time.monotonic()
    done = run(
        "exec", "deploy/curl", "--", "curl", "-s", f"http://reviews:9080/reviews/0?[1-{CANARY_REQUESTS}]", seconds=40
    )
    took = time.monotonic() - begin
    count = Counter(re.findall(r'"podname":"(reviews-v\d)', done.stdout))
    v1, v2 = count["reviews-v1"], count["reviews-v2"]
    # The standard deviation is 9.5; five of them are never reached by chance.
    true = v1 + v2 == CANARY_REQUESTS and abs(v2 - CANARY_REQUESTS // 10) <= 48
    tour.line(
        true,
        f"90/10 canary, {CANARY_REQUESTS} requests",
        f"v1 {v1}, v2 {v2}, other {sum(count.values()) - v1 - v2}, {took:.1f} s",
    )


def header_route(tour: Tour, url: str) -> None:
    """A route by header, seen on the page."""
    apply("jason-to-v2")
    cookie = login(url, "jason")
    eventually(lambda: browse(url, cookie)[1], lambda text: 'color="black"' in text)
    jason = [browse(url, cookie)[1] for _ in range(10)]
    others = [browse(url)[1] for _ in range(10)]
    black = sum('color="black"' in text for text in jason)
    none = sum("Reviews served by" in text and "color=" not in text for text in others)
    tour.line(black == 10, "header route: jason logs in and gets reviews v2 (black stars)", f"{black} of 10 pages")
    tour.line(none == 10, "header route: everybody else gets reviews v1 (no stars)", f"{none} of 10 pages")


def faults(tour: Tour) -> None:
    """An injected delay and abort."""
    apply("faults")
    target = "http://ratings:9080/ratings/0"
    users = {"jason": ("-H", "end-user: jason"), "eve": ("-H", "end-user: eve"), "else": ()}
    with ThreadPoolExecutor(len(users)) as pool:
        answers = dict(zip(users, pool.map(lambda extra: curl("curl", *extra, target), users.values()), strict=True))
    code, seconds, _ = answers["jason"]
    tour.line(
        code == 200 and 2.0 <= seconds < 3.0,
        "an injected delay of 2 s, for jason",
        f"HTTP {code} after {seconds:.2f} s",
    )
    code, seconds, body = answers["eve"]
    tour.line(code == 500, "an injected abort, for eve", f"HTTP {code} ({body.strip()}) after {seconds:.2f} s")
    code, seconds, _ = answers["else"]
    tour.line(code == 200 and seconds < 1.0, "nobody else is concerned", f"HTTP {code} after {seconds:.3f} s")


def timeout_and_retry(tour: Tour) -> None:
    """A timeout, and retries counted where they arrive."""
    apply("timeout-and-retry")
    code, seconds, _ = curl("curl", "http://httpbin:8000/delay/3")
    tour.line(
        code == 504 and 0.45 <= seconds < 1.5,
        "a timeout of 0.5 s before a service that takes 3 s",
        f"HTTP {code} after {seconds:.2f} s",
    )
    mark = f"/status/503?tour={time.time_ns()}"
    code, _, _ = curl("curl", f"http://httpbin:8000{mark}")
    arrived = eventually(lambda: run("logs", "deploy/httpbin").stdout.count(mark), lambda count: count >= 3, 3)
    tour.line(
        code == 503 and arrived == 3,
        "two retries before a service that always fails",
        f"1 request sent, {arrived} arrived, HTTP {code}",
    )


def authorization(tour: Tour) -> None:
    """A service account denied."""
    apply("deny-curl")
    target = "http://httpbin:8000/headers"
    code, _, body = eventually(lambda: curl("curl", target), lambda answer: answer[0] == 403)
    tour.line(
        code == 403,
        "the service account curl is denied by an AuthorizationPolicy",
        f"HTTP {code} ({body.strip()[:40]})",
    )
    code, _, _ = curl("productpage-v1", target)
    tour.line(code == 200, "the service account bookinfo-productpage is not", f"HTTP {code}")
    delete("deny-curl")


def farewell(url: str) -> None:
    """What to do next."""
    print(f"""
The mesh is left running.
  see the page              {url}/productpage
  pods and proxies          .venv/bin/mizzen ps --mesh {MESH}
  is every proxy up to date .venv/bin/mizzen proxy-status --mesh {MESH}
  what one proxy knows      .venv/bin/mizzen proxy-config routes --mesh {MESH} deploy/productpage-v1
  call a service            .venv/bin/mizzen exec --mesh {MESH} deploy/curl -- curl -s http://httpbin:8000/headers
  change a route            .venv/bin/mizzen apply --mesh {MESH} --wait -f demo/rules/all-v1.yaml
  take it down              .venv/bin/mizzen down --mesh {MESH} --purge --verify""")


def topics(tour: Tour) -> str:
    """The tour itself; the URL of the ingress gateway."""
    tour.head("Bookinfo, httpbin and curl, each pod with its own Envoy")
    start(tour)
    url = localhost_url()
    tour.head("Identity: mutual TLS between sidecars, nothing changed in the programs")
    identities(tour, url)
    strictness(tour)
    tour.head("Traffic")
    canary(tour)
    header_route(tour, url)
    faults(tour)
    timeout_and_retry(tour)
    tour.head("Access")
    authorization(tour)
    return url


def main() -> int:
    """Runs the tour."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    tour = Tour()
    try:
        url = topics(tour)
    except Stop as stop:
        print(f"\nThe tour stopped: {stop}", file=sys.stderr)
        print(
            f"  look:  .venv/bin/mizzen ps --mesh {MESH}\n  clean: .venv/bin/mizzen down --mesh {MESH} --purge",
            file=sys.stderr,
        )
        return 1 if tour.shown else 2
    took = time.monotonic() - tour.begin
    farewell(url)
    print(f"\n{tour.shown - len(tour.untrue)} of {tour.shown} lines true, measured in {took:.0f} s.")
    for text in tour.untrue:
        print(f"  ✗ {text}")
    return 1 if tour.untrue else 0


if __name__ == "__main__":
    sys.exit(main())
