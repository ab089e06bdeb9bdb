"""The mesh that cases run in: started once, changed by a case, put back after it."""

import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Self

import yaml

from mizzen.api.kinds import kind_of
from mizzen.errors import LabError
from mizzen.lab.client import ControlPlaneClient, LabClient
from tests.conformance import quiet
from tests.conformance.agent import Agent
from tests.conformance.fixture import Document, Fixture, mesh_config

ROOT = Path(__file__).resolve().parents[2]
Key = tuple[str, str, str]
_ACKNOWLEDGE_SECONDS = 30.0
_READY_SECONDS = 90.0
_CONTROL_PLANE = {"PILOT_JWT_PUB_KEY_REFRESH_INTERVAL": "2s"}
"""So that a key set that is exchanged in a case takes effect within the case."""
_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod", "Gateway.gateway.networking.k8s.io")


class Refused(Exception):
    """The mesh, or a proxy, did not take the configuration; the text says why."""


def key_of(document: Document) -> Key:
    """The kind by its key: one whose name two groups have carries its group."""
    meta, info = document["metadata"], kind_of(str(document.get("apiVersion", "")), str(document.get("kind", "")))
    return info.key if info is not None else document["kind"], meta.get("namespace", ""), meta["name"]


def has_proxy(pod: Document) -> bool:
    """Whether a sidecar or a gateway runs in the pod."""
    spec = pod["spec"]
    every = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return any(container.get("name") == "istio-proxy" for container in every)


def _names(labels: Document) -> tuple[Any, ...]:
    """What a case may call a workload whose pods have these labels."""
    return labels.get("app"), f"{labels.get('app')}-{labels.get('version')}", labels.get("istio")


def merged(base: Document, patch: Document) -> Document:
    """A deep merge; lists and plain values of ``patch`` replace."""
    result = copy.deepcopy(base)
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = copy.deepcopy(value)
    return result


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
        self._labelled: list[tuple[str, str, Document]] = []
        self._agents: dict[str, Agent] = {}
        self._pods: tuple[int, list[Document]] = (-1, [])
        self._revision = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for agent in self._agents.values():
            agent.close()
        for agent in self._agents.values():
            agent.join()
        if not self._keep:
            self._mizzen("down", "--purge", check=False)
            shutil.rmtree(self.ledger, ignore_errors=True)
            if not os.environ.get("MIZZEN_STATE"):
                shutil.rmtree(self._home, ignore_errors=True)

    def _mizzen(self, verb: str, *arguments: str, text: str = "", check: bool = True) -> str:
        environment = {**os.environ, "MIZZEN_STATE": str(self._home), "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
        command = [sys.executable, "-m", "mizzen", verb, "--mesh", self.name, *arguments]
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                command, input=text, text=True, stdout=out, stderr=out, env=environment, timeout=300, check=False
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
        settings.write_text(yaml.safe_dump({"hosts": fixture.hosts, "controlPlane": {"env": _CONTROL_PLANE}}))
        text = yaml.safe_dump_all(fixture.documents)
        self._mizzen("up", "--detach", "--timeout", "240s", "--config", str(settings), "-f", "-", text=text)
        self._adopt_gateways()
        self.restore()

    def _adopt_gateways(self) -> None:
        """The lab's gateways were made before the fixture's mesh config; from here on they belong to the fixture."""
        stamp = {"mizzen.io/fixture": self.name}
        for document in self.client.objects("Deployment", "istio-system")[1]:
            meta = document["metadata"]
            template = document["spec"]["template"]
            notes = {**(template["metadata"].get("annotations") or {}), **stamp}
            changed = {**template, "metadata": {**template["metadata"], "annotations": notes}}
            kept = {"name": meta["name"], "namespace": meta["namespace"], "labels": meta.get("labels") or {}}
            self._baseline[key_of(document)] = {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": kept,
                "spec": {**document["spec"], "template": changed},
            }
            self._changed.add(key_of(document))

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
        refused = [result for result in answer["results"] if result["action"] == "refused"]
        if refused:
            texts = [
                f"{result['kind']} {result['name']}: {finding.get('field', '')} {finding['message']}"
                for result in refused
                for finding in result["findings"]
                if str(finding.get("level", "")).lower() == "error"
            ]
            raise Refused("; ".join(texts) or f"{refused[0]['kind']} {refused[0]['name']} refused")
        if any(key_of(document)[0] in _PODS for document in placed):
            self.ready()

    def delete(self, keys: Iterable[Key]) -> None:
        listed = [{"kind": kind, "namespace": namespace, "name": name} for kind, namespace, name in keys]
        self._changed.update((item["kind"], item["namespace"], item["name"]) for item in listed)
        if listed:
            self._revision = self.client.delete(listed)["revision"]

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

    def drained(self) -> None:
        """Waits until no proxy serves a connection by rules of before the last change (``quiet.py``). Raises Refused."""
        asks = {}
        for pod in self.pods():
            if has_proxy(pod):
                meta = pod["metadata"]
                asks[meta["name"]] = partial(self.client.envoy, meta["namespace"], meta["name"])
        if left := quiet.settle(asks):
            raise Refused(f"old listeners still drain at {', '.join(left)}")

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

    def label(self, pod: Document, labels: Document) -> None:
        """Changes labels of a pod that runs (None takes one away); undone by :meth:`restore`."""
        meta = pod["metadata"]
        before = {name: (meta.get("labels") or {}).get(name) for name in labels}
        self._labelled.append((meta["namespace"], meta["name"], before))
        patch = {"metadata": {"labels": labels}}
        self._revision = self.client.patch("Pod", meta["namespace"], meta["name"], patch)["revision"]

    def _unlabel(self) -> None:
        """The labels of before, of pods that are still there."""
        there = {(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in self.pods()}
        for namespace, name, before in reversed(self._labelled):
            if (namespace, name) in there:
                answer = self.client.patch("Pod", namespace, name, {"metadata": {"labels": before}})
                self._revision = answer["revision"]
        self._labelled.clear()

    def restart(self, annotations: Document | None = None) -> None:
        """New pods with ``annotations`` for every Deployment that has a proxy, ready."""
        stamp = {"kubectl.kubernetes.io/restartedAt": str(time.time()), **(annotations or {})}
        patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        places = {pod["metadata"]["namespace"] for pod in self.pods() if has_proxy(pod)}
        for place in sorted(places):
            for document in self.client.objects("Deployment", place)[1]:
                self.patch("Deployment", place, document["metadata"]["name"], patch)
        self.ready()

    def keep(self, documents: list[Document]) -> None:
        """Makes these part of the fixture from now on."""
        new = [document for document in documents if key_of(document) not in self._baseline]
        if new:
            self.apply(new)
            self._baseline |= {key_of(document): document for document in new}

    def mesh(self, patch: Document) -> Document:
        """The fixture's mesh config with ``patch`` merged in, as its ConfigMap."""
        return mesh_config(merged(self.fixture.mesh, patch))

    def restore(self) -> None:
        """Undoes everything since :meth:`start` or the last restore, and waits for it when pods are concerned."""
        gone = [key for key in self._changed if key not in self._baseline]
        again = [self._baseline[key] for key in self._changed if key in self._baseline]
        again.sort(key=lambda document: document["kind"] in _PODS)  # a pod is made by the configuration of its time
        self._unlabel()
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
        named = [pod for pod in self.pods() if name in _names(pod["metadata"].get("labels") or {})]
        wanted = namespace or self.fixture.namespace
        found = [pod for pod in named if pod["metadata"]["namespace"] == wanted] or ([] if namespace else named)
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
            if name == own or name in _names(labels):
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
