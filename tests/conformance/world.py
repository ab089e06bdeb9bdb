"""The mesh that cases run in: started once, changed by a case, put back after it."""

import copy
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import yaml

from mizzen.api.kinds import kind_of
from mizzen.errors import LabError
from mizzen.lab.client import ControlPlaneClient, LabClient
from tests.conformance.fixture import Document, Fixture, mesh_config

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/opt/mizzen/bin/mizzen-python"
Key = tuple[str, str, str]
_ACKNOWLEDGE_SECONDS = 15.0
_READY_SECONDS = 90.0
_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod")


class Refused(Exception):
    """The mesh, or a proxy, did not take the configuration; the text says why."""


def key_of(document: Document) -> Key:
    meta = document["metadata"]
    return document["kind"], meta.get("namespace", ""), meta["name"]


def merged(base: Document, patch: Document) -> Document:
    """A deep merge; lists and plain values of ``patch`` replace."""
    result = copy.deepcopy(base)
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = copy.deepcopy(value)
    return result


class Agent:
    """The echo client inside one pod, ready for calls."""

    def __init__(self, client: LabClient, namespace: str, pod: str) -> None:
        self._lock = threading.Lock()
        self._answers: dict[int, Any] = {}
        self._arrived = threading.Condition()
        self._number = 0
        self.alive = True
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        self._stdin, self._stdout = os.fdopen(in_write, "w"), os.fdopen(out_read)
        descriptors = (in_read, out_write, 2)

        def run() -> None:
            try:
                command = [PYTHON, "-m", "mizzen.samples.echo.client"]
                client.execute(namespace, pod, "app", command, fds=descriptors)
            except (LabError, OSError):
                pass
            finally:
                os.close(in_read)
                os.close(out_write)

        threading.Thread(target=run, daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stdout:
            answer = json.loads(line)
            with self._arrived:
                self._answers[answer["id"]] = answer["results"]
                self._arrived.notify_all()
        with self._arrived:
            self.alive = False
            self._arrived.notify_all()

    def start(self, call: Document, background: bool = False) -> int:
        """Begins a call and gives its number."""
        with self._lock:
            self._number += 1
            self._send({"id": self._number, "call": call, "background": background})
            return self._number

    def stop(self, number: int) -> list[Document]:
        """Ends a background call and gives its results."""
        with self._lock:
            self._send({"id": number, "stop": True})
        return self.result(number, 30)

    def result(self, number: int, seconds: float) -> list[Document]:
        """Raises LabError when the pod went away or took too long."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: number in self._answers or not self.alive, seconds):
                raise LabError(f"the calling pod did not answer within {seconds:g} s")
            if number not in self._answers:
                raise LabError("the calling pod went away")
            return list(self._answers.pop(number))

    def _send(self, job: Document) -> None:
        try:
            self._stdin.write(json.dumps(job) + "\n")
            self._stdin.flush()
        except OSError as error:
            raise LabError(f"the calling pod went away: {error}") from None

    def close(self) -> None:
        try:
            self._stdin.close()
        except OSError:
            return


class World:
    """One mesh with one fixture. Use it as a context manager."""

    def __init__(self, name: str, keep: bool = False) -> None:
        self.name = name
        self._keep = keep
        self._home = Path(os.environ.get("MIZZEN_STATE") or tempfile.mkdtemp(prefix="mizzen-conformance-"))
        self.state = self._home / name
        self.ledger = Path(tempfile.mkdtemp(prefix="mizzen-ledger-"))
        (self.ledger / "documents").mkdir()
        self.ledger.chmod(0o777)
        (self.ledger / "documents").chmod(0o755)
        self.client = LabClient(self.state)
        self.control = ControlPlaneClient(self.state)
        self.fixture = Fixture([], {})
        self._baseline: dict[Key, Document] = {}
        self._changed: set[Key] = set()
        self._agents: dict[str, Agent] = {}
        self._pods: tuple[int, list[Document]] = (-1, [])
        self._revision = 0
        self.changed_at = 0.0
        """When the configuration last changed, on the monotonic clock."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for agent in self._agents.values():
            agent.close()
        if not self._keep:
            self._mizzen("down", "--purge", check=False)

    def _mizzen(self, verb: str, *arguments: str, text: str = "", check: bool = True) -> str:
        environment = {**os.environ, "MIZZEN_STATE": str(self._home), "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
        command = [sys.executable, "-m", "mizzen", verb, "--mesh", self.name, *arguments]
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                command, input=text, text=True, stdout=out, stderr=out, env=environment, timeout=180, check=False
            )
            out.seek(0)
            said = out.read()
        if check and done.returncode:
            raise LabError(f"mizzen {verb} ended with {done.returncode}: {said[-1500:]}")
        return said

    def start(self, fixture: Fixture) -> None:
        """Starts the mesh and waits until everything of the fixture is ready. Raises LabError."""
        self.fixture = fixture
        self._baseline = {key_of(document): document for document in fixture.documents}
        settings = self.ledger / "mizzen.yaml"
        settings.write_text(yaml.safe_dump({"hosts": fixture.hosts}))
        text = yaml.safe_dump_all(fixture.documents)
        self._mizzen("up", "--detach", "--timeout", "120s", "--config", str(settings), "-f", "-", text=text)

    # Configuration

    def place(self, document: Document) -> Document:
        """The document in the fixture's own namespace when it names none."""
        info = kind_of(str(document.get("apiVersion", "")), str(document.get("kind", "")))
        meta = document.get("metadata") or {}
        if meta.get("namespace") or (info is not None and not info.namespaced):
            return document
        return {**document, "metadata": {**meta, "namespace": self.fixture.namespace}}

    def apply(self, documents: Iterable[Document]) -> None:
        """Raises Refused with the findings when any document is."""
        placed = [self.place(document) for document in documents]
        answer = self.client.apply([{"object": document, "origin": None} for document in placed])
        self._changed.update(key_of(document) for document in placed)
        self._revision = answer["revision"]
        self.changed_at = time.monotonic()
        refused = [result for result in answer["results"] if result["action"] == "refused"]
        if refused:
            texts = [
                f"{result['kind']} {result['name']}: {finding.get('field', '')} {finding['message']}"
                for result in refused
                for finding in result["findings"]
                if str(finding.get("level", "")).lower() == "error"
            ]
            raise Refused("; ".join(texts) or f"{refused[0]['kind']} {refused[0]['name']} refused")
        if any(document["kind"] in _PODS for document in placed):
            self.ready()

    def delete(self, keys: Iterable[Key]) -> None:
        listed = [{"kind": kind, "namespace": namespace, "name": name} for kind, namespace, name in keys]
        self._changed.update((item["kind"], item["namespace"], item["name"]) for item in listed)
        if listed:
            self._revision = self.client.delete(listed)["revision"]
            self.changed_at = time.monotonic()

    def patch(self, kind: str, namespace: str, name: str, patch: Document) -> None:
        """A merge patch of an object of the fixture; undone by :meth:`restore`."""
        self._changed.add((kind, namespace, name))
        self._revision = self.client.patch(kind, namespace, name, patch)["revision"]

    def settle(self) -> None:
        """Waits until every proxy concerned has acknowledged. Raises Refused."""
        told = self.control.wait(self._revision, _ACKNOWLEDGE_SECONDS)
        if told["refused"]:
            first = told["refused"][0]
            raise Refused(f"Envoy refuses {first['type']} {first['resource']}: {first['reason'][:300]}")
        if told.get("error"):
            raise Refused(f"the control plane: {told['error']}")
        if not told["done"]:
            missing = sorted(set(told["concerned"]) - set(told["acked"]))
            raise Refused(f"not acknowledged within {_ACKNOWLEDGE_SECONDS:g} s by {missing}")

    def ready(self, seconds: float = _READY_SECONDS) -> None:
        """Waits for every pod. Raises Refused."""
        deadline = time.monotonic() + seconds
        quiet = 0
        while quiet < 3:  # a rollout's next pod may not exist yet
            answer = self.client.ready(max(deadline - time.monotonic(), 0))
            if not answer["ready"]:
                raise Refused(f"not ready within {seconds:g} s: {'; '.join(answer['waiting'][:3])}")
            quiet += 1
            time.sleep(0.15)
        self._revision = max(self._revision, self.client.objects("Node")[0])

    def restart(self, namespaces: Iterable[str]) -> None:
        """New pods for every Deployment of these namespaces."""
        stamp = {
            "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": str(time.time())}}}}
        }
        for namespace in namespaces:
            for document in self.client.objects("Deployment", namespace)[1]:
                self.patch("Deployment", namespace, document["metadata"]["name"], stamp)
        self.ready()

    def mesh(self, patch: Document) -> Document:
        """The fixture's mesh config with ``patch`` merged in, as its ConfigMap."""
        return mesh_config(merged(self.fixture.mesh, patch))

    def restore(self) -> None:
        """Undoes everything since :meth:`start` or the last restore, and waits for it when pods are concerned."""
        gone = [key for key in self._changed if key not in self._baseline]
        again = [self._baseline[key] for key in self._changed if key in self._baseline]
        pods = any(key[0] in _PODS for key in self._changed)
        self.delete(gone)
        if again:
            self.apply(again)
        self._changed.clear()
        if pods:
            self.ready()

    # Pods

    def pods(self) -> list[Document]:
        """Every pod that is not on its way out, by age."""
        _, items = self.client.objects("Pod")
        alive = [pod for pod in items if not pod["metadata"].get("deletionTimestamp")]
        return sorted(
            alive, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")) + pod["metadata"]["name"]
        )

    def pods_of(self, workload: str) -> list[Document]:
        """The pods of ``app.namespace`` or ``app-version.namespace``. Raises LookupError when there is none."""
        name, _, namespace = workload.partition(".")
        namespace = namespace or self.fixture.namespace
        found = []
        for pod in self.pods():
            labels = pod["metadata"].get("labels") or {}
            names = (labels.get("app"), f"{labels.get('app')}-{labels.get('version')}", labels.get("istio"))
            if name in names and pod["metadata"]["namespace"] == namespace:
                found.append(pod)
        if not found:
            raise LookupError(f"no pod of {workload}")
        return found

    def address(self, workload: str) -> str:
        """The first pod's address, or that of ``service NAME``."""
        if workload.startswith("service "):
            name = workload.removeprefix("service ")
            own = self.service_address(name, self.fixture.namespace)
            return own or self.service_address(name, name)
        name = workload if "." in workload or workload != "ext" else "ext.outside"
        if "." not in name:
            every = [pod for pod in self.pods() if (pod["metadata"].get("labels") or {}).get("app") == name]
            if every:
                return str(every[0]["status"]["podIP"])
        return str(self.pods_of(name)[0]["status"]["podIP"])

    def service_address(self, name: str, namespace: str) -> str:
        _, items = self.client.objects("Service", namespace, name)
        return str(items[0]["spec"].get("clusterIP") or "") if items else ""

    def deployments_of(self, workload: str) -> list[tuple[str, str]]:
        """(namespace, name) of the Deployments of ``app.namespace``, ``app-version`` or ``app``."""
        name, _, namespace = workload.partition(".")
        found = []
        for document in self.client.objects("Deployment", namespace or self.fixture.namespace)[1]:
            labels = document["spec"]["template"]["metadata"].get("labels") or {}
            own = document["metadata"]["name"]
            if name in (own, labels.get("app"), f"{labels.get('app')}-{labels.get('version')}"):
                found.append((document["metadata"]["namespace"], own))
        return found

    def agent(self, workload: str) -> Agent:
        """The client in the first pod of a workload."""
        pod = self.pods_of(workload)[0]
        uid = pod["metadata"]["uid"]
        found = self._agents.get(uid)
        if found is None or not found.alive:
            found = Agent(self.client, pod["metadata"]["namespace"], pod["metadata"]["name"])
            self._agents[uid] = found
        return found

    # What the mesh notes

    def log_path(self, pod: Document) -> Path:
        """The file with what the pod's proxy writes."""
        return self.state / "run" / "logs" / pod["metadata"]["uid"] / "istio-proxy.log"

    def records(self, since: int) -> list[Document]:
        """What echo servers noted after the offset ``since`` of their shared file."""
        path = self.ledger / "requests"
        if not path.exists():
            return []
        with path.open() as file:
            file.seek(since)
            return [json.loads(line) for line in file if line.endswith("\n")]

    def recorded(self) -> int:
        """The offset to give to :meth:`records` later."""
        path = self.ledger / "requests"
        return path.stat().st_size if path.exists() else 0

    def forget_keys(self) -> None:
        """Every key's count starts anew."""
        for path in self.ledger.glob("key-*"):
            path.unlink(missing_ok=True)
