"""A mesh of the machine this runs on, driven through the command line as a person would, with requests from its pods."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from mizzen.cli import targets
from mizzen.cli.connection import finder
from mizzen.cli.failure import Failure
from mizzen.errors import LabError
from mizzen.lab.client import LabClient
from tests.e2e.load import Load
from tests.e2e.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "src" / "mizzen" / "samples" / "manifests"
CONFORMANCE = Path(os.environ.get("MIZZEN_CONFORMANCE") or ROOT.parent / "shared" / "conformance")
"""Istio's own sample documents as data. They are not part of the repository; tests that need them skip without them."""
Document = dict[str, Any]
Answer = TypeVar("Answer")


class Done(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str
    seconds: float

    def json(self) -> Any:
        """Standard output, parsed."""
        return json.loads(self.out)


class Reply(NamedTuple):
    """The answer to one request. ``code`` 0: there was none, ``error`` is then curl's exit code or the reason."""

    code: int
    seconds: float
    body: str
    headers: dict[str, str]
    error: str = ""


HTTPBIN = "http://httpbin.default:8000/status/200"


def istio_sample(name: str) -> list[Document]:
    """The documents of a file of Istio's samples, such as ``bookinfo/platform/kube/bookinfo.yaml``, unchanged."""
    for entry in json.loads((CONFORMANCE / "samples.json").read_text()):
        if entry["path"] == f"samples/{name}":
            return list(entry["documents"])
    raise LookupError(f"no sample {name}")


def has_istio_samples() -> bool:
    """Whether Istio's sample documents are there."""
    return (CONFORMANCE / "samples.json").is_file()


def documents_of(source: str | Path | Iterable[Document]) -> list[Document]:
    """Documents from YAML text, from a file, or as they are."""
    if isinstance(source, Path):
        source = source.read_text()
    if isinstance(source, str):
        return [document for document in yaml.safe_load_all(source) if document]
    return list(source)


def key_of(document: Document) -> tuple[str, str, str]:
    """Kind, namespace and name."""
    meta = document["metadata"]
    return document["kind"], meta.get("namespace", "default"), meta["name"]


class Mesh:
    """One mesh with a name of its own. Its state lies in ``state``, which is removed with it."""

    def __init__(self, state: Path) -> None:
        self.name = f"t{secrets.token_hex(4)}"
        self.state = state
        self._lab = LabClient(state / self.name)
        self.python = sys.executable
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MIZZEN_", "PYTEST_"))},
            "MIZZEN_STATE": str(state),
            "PYTHONPATH": str(ROOT / "src"),
            "NO_COLOR": "1",
        }
        self._baseline: dict[tuple[str, str, str], Document] = {}
        self._changed: set[tuple[str, str, str]] = set()

    # The command line

    def command(self, *arguments: str) -> list[str]:
        """The command line of ``mizzen ARGUMENTS`` for this mesh."""
        return [self.python, "-m", "mizzen", arguments[0], "--mesh", self.name, *arguments[1:]]

    def run(self, *arguments: str, seconds: float = 30.0, expect: int | None = 0, text: str = "") -> Done:
        """Runs ``mizzen``; fails when the exit code is not ``expect`` (None: any) or it takes longer than ``seconds``."""
        begin = time.monotonic()
        # Files and not pipes: a daemon that kept a pipe open would keep us waiting for its end.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = subprocess.run(
                self.command(*arguments),
                stdout=out,
                stderr=err,
                input=text,
                text=True,
                timeout=seconds,
                env=self.environment,
            )
            out.seek(0)
            err.seek(0)
            done = Done(process.returncode, out.read(), err.read(), time.monotonic() - begin)
        if expect is not None and done.code != expect:
            behind = self.run("proxy-status", expect=None).out if "acknowledged" in done.err else ""
            raise AssertionError(f"mizzen {' '.join(arguments)}: exit {done.code}\n{done.out}{done.err}{behind}")
        return done

    def up(self, documents: Iterable[Document] = (), seconds: float = 90.0) -> Done:
        """Starts the mesh with these documents, which :meth:`restore` goes back to, and waits until all is ready."""
        listed = list(documents)
        self._baseline = {key_of(document): document for document in listed}
        return self.run("up", "--detach", "-f", "-", seconds=seconds, text=yaml.safe_dump_all(listed))

    def down(self, *, verify: bool = True) -> Done:
        """Takes the mesh down, with its state; with ``verify`` it fails when anything is left on the machine."""
        return self.run("down", "--purge", *(["--verify"] if verify else []), seconds=60)

    def end(self) -> None:
        """Takes the mesh away whatever state it is in; for the end of a test that may have failed anywhere."""
        try:
            self.run("down", "--purge", expect=None, seconds=30)
        finally:
            if self.processes():
                self.kill_all()
                self.run("down", "--purge", expect=None, seconds=30)

    def apply(self, source: str | Path | Iterable[Document], *, wait: bool = True, expect: int | None = 0) -> Done:
        """Applies documents; what they change is undone by :meth:`restore`."""
        documents = documents_of(source)
        self._changed.update(key_of(document) for document in documents)
        arguments = ["apply", *(["--wait", "--timeout", "20s"] if wait else []), "-f", "-"]
        return self.run(*arguments, text=yaml.safe_dump_all(documents), expect=expect)

    def delete(self, source: str | Path | Iterable[Document]) -> None:
        """Deletes documents, also such as are not there."""
        documents = documents_of(source)
        self._changed.update(key_of(document) for document in documents)
        arguments = ["delete", "--ignore-not-found", "--wait", "--timeout", "20s", "-f", "-"]
        self.run(*arguments, text=yaml.safe_dump_all(documents))

    def restore(self) -> None:
        """Undoes every apply and delete since :meth:`up`."""
        again = [self._baseline[key] for key in self._changed if key in self._baseline]
        for kind, namespace, name in self._changed - self._baseline.keys():
            self.run("delete", kind, name, "-n", namespace, "--ignore-not-found", "--wait", "--timeout", "20s")
        if again:
            self.apply(again)
        kinds = {kind for kind, _, _ in self._changed}
        self._changed.clear()
        # No connection may carry the old rules into the next test.
        if any(kind.endswith(("Authentication", "Policy", "Filter")) for kind in kinds):
            for workload in ("curl", "productpage-v1"):
                eventually(
                    lambda workload=workload: self.curl(HTTPBIN, workload=workload).code, lambda code: code == 200
                )
            burst = ("-o", "/dev/null", "-w", r"%{http_code}\n")
            eventually(lambda: set(self.lines(REVIEWS, 8, *burst)), lambda codes: codes == {"200"})
        if "EnvoyFilter" in kinds:
            eventually(lambda: self.browse("/productpage").code, lambda code: code == 200)

    # What is there

    def status(self) -> Document:
        """What ``mizzen ps -o json`` prints."""
        return self._lab.status()

    def pods(self, workload: str, namespace: str = "default") -> list[Document]:
        """The pods of a workload, as ``ps`` tells them, without those that end."""
        pattern = re.compile(rf"{re.escape(workload)}(-[a-z0-9]+){{0,2}}")
        return [
            pod
            for pod in self.status()["pods"]
            if pod["namespace"] == namespace
            and pod["phase"] != "Terminating"
            and (pod["workload"] == workload or pattern.fullmatch(pod["name"]))
        ]

    def pod(self, workload: str, namespace: str = "default") -> Document:
        """The only pod of a workload."""
        (pod,) = self.pods(workload, namespace)
        return pod

    def logs(self, workload: str, namespace: str = "default", container: str = "") -> str:
        """What a container of the workload's pod wrote."""
        chosen = ["-c", container] if container else []
        return self.run("logs", f"deploy/{workload}", "-n", namespace, *chosen).out

    # Requests

    def exec(
        self, workload: str, *command: str, namespace: str = "default", container: str = "", seconds: float = 30.0
    ) -> Done:
        """Runs a command in a pod; any exit code. As ``mizzen exec`` does it, without an interpreter for each request."""
        begin = time.monotonic()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, open(os.devnull) as nothing:
            descriptors = (nothing.fileno(), out.fileno(), err.fileno())

            def execute() -> int:
                try:
                    pod = targets.pods_of(f"deploy/{workload}", namespace, finder(self._lab))[0]
                    where = (*targets.identify(pod), targets.chosen_container(pod, container or None))
                    return self._lab.execute(*where, command, fds=descriptors)
                except (Failure, LabError) as error:
                    err.write(f"Error: {error}\n")
                    err.flush()
                    return 125

            worker: Future[int] = Future()

            def work() -> None:
                try:
                    worker.set_result(execute())
                except BaseException as error:
                    worker.set_exception(error)

            threading.Thread(target=work, daemon=True).start()
            code = worker.result(seconds)
            out.seek(0)
            err.seek(0)
            return Done(code, out.read(), err.read(), time.monotonic() - begin)

    def curl(
        self, url: str, *arguments: str, workload: str = "curl", namespace: str = "default", container: str = ""
    ) -> Reply:
        """One request by curl inside a pod, by default the pod ``curl`` with a sidecar."""
        command = ["curl", "-s", "-i", "--max-time", "20", "-w", "\n%{http_code} %{time_total}", *arguments, url]
        return reply_of(self.exec(workload, *command, namespace=namespace, container=container))

    def lines(self, url: str, count: int, *arguments: str, workload: str = "curl") -> list[str]:
        """The body's lines of ``count`` requests in a row on kept-alive connections."""
        done = self.exec(workload, "curl", "-s", "--max-time", "60", *arguments, f"{url}?[1-{count}]", seconds=70)
        return done.out.splitlines()

    def versions(self, count: int, *arguments: str) -> Counter[str]:
        """How many of ``count`` requests to reviews each of its versions answered; other answers by their text."""
        lines = [line for line in self.lines(REVIEWS, count, "-w", r"\n", *arguments) if line]
        found = (re.search(r'"podname":"(?:reviews-(v\d))', line) for line in lines)
        return Counter(match[1] if match else line[:200] for match, line in zip(found, lines, strict=True))

    def localhost(self) -> str:
        """Where the ingress gateway listens on this machine's loopback, as a URL."""
        for gateway in self.status()["gateways"]:
            if "ingress" in gateway["name"]:
                return f"http://127.0.0.1:{gateway['localhost']['80']}"
        raise LookupError("no ingress gateway")

    def browse(self, path: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> Reply:
        """One request from this machine through the ingress gateway; redirects are not followed."""
        request = urllib.request.Request(f"{self.localhost()}{path}", data=data, headers=headers or {})
        begin = time.monotonic()
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=20) as answer:
                return Reply(answer.status, time.monotonic() - begin, answer.read().decode(), lower(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
                return Reply(error.code, time.monotonic() - begin, text, lower(error.headers))
        except OSError as error:
            return Reply(0, time.monotonic() - begin, "", {}, str(error))

    def metrics(self, workload: str, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """The series ``name`` with these labels, from the merged metrics of the workload's sidecar."""
        command = ["curl", "-s", "http://127.0.0.1:15020/stats/prometheus"]
        text = self.exec(workload, *command, container="istio-proxy").out
        found = []
        for labelled, value in re.findall(rf"^{re.escape(name)}\{{(.*)\}} (\S+)$", text, re.MULTILINE):
            pairs = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labelled))
            if labels.items() <= pairs.items():
                found.append((pairs, float(value)))
        return found

    def load(self, url: str, *arguments: str, workload: str = "curl", namespace: str = "default") -> Load:
        """A constant load of 200 requests/s from a pod; use it as a context manager."""
        return Load(self, url, arguments, workload, namespace)

    # Crashes

    def processes(self) -> list[int]:
        """Every process of this mesh: those whose control group, command line or environment names it.

        Ended processes that nobody has reaped count as gone: their control group still names the mesh, but on a machine
        whose first process reaps nothing they stay for ever.
        """
        mark = self.name.encode()
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            pid = int(directory.name)
            if pid == os.getpid() or read(directory / "stat").rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"]):
                continue
            if any(mark in read(directory / file) for file in ("cgroup", "cmdline", "environ")):
                found.append(pid)
        return found

    def supervisor(self) -> int:
        """The pid of the mesh's supervisor; 0 when none runs."""
        mark = f"\0mizzen.lab.supervisor\0--mesh\0{self.name}\0".encode()
        return next((pid for pid in self.processes() if mark in read(Path(f"/proc/{pid}/cmdline"))), 0)

    def kill_all(self) -> int:
        """SIGKILL to every process of this mesh, until none is left; how many there were."""
        killed = set()
        deadline = time.monotonic() + 10
        while pids := self.processes():
            assert time.monotonic() < deadline, f"processes that do not die: {pids}"
            for pid in pids:
                killed.add(pid)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.02)
        return len(killed)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves redirects to the caller."""

    def redirect_request(self, *_: Any) -> None:
        return None


def reply_of(done: Done) -> Reply:
    """The reply in the output of ``curl -s -i -w '\\n%{http_code} %{time_total}'``."""
    text, _, last = done.out.rpartition("\n")
    words = last.split()
    if len(words) != 2 or words[0] == "000":
        return Reply(0, 0.0, text, {}, f"exit {done.code} {done.err.strip()}")
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    pairs = (line.partition(":") for line in head.split("\n")[1:])
    return Reply(int(words[0]), float(words[1]), body, {name.lower(): value.strip() for name, _, value in pairs})


def lower(headers: Any) -> dict[str, str]:
    """Header fields with names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def read(path: Path) -> bytes:
    """A file of /proc; empty when the process is gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


REVIEWS = "http://reviews:9080/reviews/0"
