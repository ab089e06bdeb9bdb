"""A mesh that only has its sockets: the supervisor's API, exec and the control plane's API, over objects in memory."""

from __future__ import annotations

import array
import copy
import json
import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
Key = tuple[str, str, str]


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


def merge(target: Json, patch: Json) -> Json:
    """RFC 7396."""
    merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged


class FakeMesh:
    """State of the fake, written by a test before a command and read after it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.objects: dict[Key, Json] = {}
        self.origins: dict[Key, Json | None] = {}
        self.revision = 0
        self.refuse: dict[str, Json] = {}
        """By object name, the finding with which it is refused."""
        self.requests: list[tuple[str, str, Json]] = []
        self.waiting: list[str] = []
        self.stuck = False
        self.rollout: Json = {"done": True, "message": ""}
        self.verdict: Json = {
            "snapshot": 7,
            "done": True,
            "concerned": [],
            "acked": [],
            "refused": [],
            "disconnected": [],
        }
        self.findings: Callable[[FakeMesh], list[Json]] = lambda mesh: []
        """What the control plane finds in the objects."""
        self.syncz: list[Json] = []
        self.clusterz: list[Json] = []
        self.resources: Json = {}
        self.logs: list[bytes] = []
        self.envoy: dict[str, bytes] = {}
        self.status: Json = {"mesh": state.name, "state": "running", "pods": [], "controlplane": {}, "gateways": []}
        self.executed: list[Json] = []
        self.stopped = False
        self.linger = 0
        """How many more lists show a Pod after it was deleted."""
        self._ending: list[Json] = []
        self._servers: list[_Server] = []

    def start(self) -> None:
        run = self.state / "run"
        run.mkdir(parents=True)
        self._serve(run / "sock", _handler(self, _SUPERVISOR))
        self._serve(run / "controlplane.sock", _handler(self, _CONTROL_PLANE))
        self._serve(run / "exec.sock", _exec_handler(self))

    def _serve(self, path: Path, handler: type[socketserver.BaseRequestHandler]) -> None:
        server = _Server(str(path), handler)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
            Path(str(server.server_address)).unlink(missing_ok=True)
        self._servers.clear()

    def put(self, raw: Json) -> Json:
        self.revision += 1
        metadata = {"namespace": "default", **raw["metadata"]}
        stored = {**raw, "metadata": metadata}
        self.objects[(raw["kind"], metadata["namespace"], metadata["name"])] = stored
        return stored

    # The supervisor's endpoints.

    def get_objects(self, query: Json, _body: Any) -> Json:
        def matches(key: Key) -> bool:
            return all(
                query.get(name) in (None, part) for name, part in zip(("kind", "namespace", "name"), key, strict=True)
            )

        items = [raw for key, raw in self.objects.items() if matches(key)]
        if self._ending and query.get("kind") == "Pod":
            items.append(self._ending.pop())
            self.linger -= 1
        return {"revision": self.revision, "items": items}

    def apply(self, _query: Json, body: Json) -> Json:
        results = [self._apply_one(document, body) for document in body["documents"]]
        if body["atomic"] and any(result["action"] == "refused" for result in results):
            results = [
                result if result["action"] == "refused" else {**result, "action": "unchanged"} for result in results
            ]
        elif not body["dry_run"]:
            for document, result in zip(body["documents"], results, strict=True):
                if result["action"] in ("created", "configured"):
                    self.put(document["object"])
                    key = (result["kind"], result["namespace"], result["name"])
                    self.origins[key] = document["origin"]
        return {"revision": self.revision, "results": results}

    def _apply_one(self, document: Json, _body: Json) -> Json:
        raw = document["object"]
        metadata = raw.get("metadata") or {}
        key = (raw.get("kind", ""), metadata.get("namespace") or "default", metadata.get("name", ""))
        result = {"kind": key[0], "namespace": key[1], "name": key[2], "findings": []}
        if key[2] in self.refuse:
            return {**result, "action": "refused", "findings": [self.refuse[key[2]]]}
        return {**result, "action": "created" if key not in self.objects else "configured"}

    def delete(self, _query: Json, body: Json) -> Json:
        results = []
        for obj in body["objects"]:
            gone = self.objects.pop((obj["kind"], obj["namespace"] or "default", obj["name"]), None)
            if gone and obj["kind"] == "Pod":
                self._ending = [gone] * self.linger
            self.revision += gone is not None
            results.append({**obj, "action": "deleted" if gone else "not found", "findings": []})
        return {"revision": self.revision, "results": results}

    def patch(self, _query: Json, body: Json) -> Json:
        key = (body["kind"], body["namespace"], body["name"])
        if key not in self.objects:
            raise LookupError(f"{body['kind']} {body['name']} not found")
        self.put(merge(copy.deepcopy(self.objects[key]), body["patch"]))
        result = {"kind": key[0], "namespace": key[1], "name": key[2], "action": "configured", "findings": []}
        return {"revision": self.revision, "results": [result]}

    def ready(self, _query: Json, _body: Any) -> Json:
        return {"ready": not self.waiting, "waiting": self.waiting, "stuck": self.stuck}

    def down(self, _query: Json, _body: Any) -> Json:
        self.stopped = True
        threading.Thread(target=self.stop, daemon=True).start()
        return {}


Endpoint = Callable[[FakeMesh, Json, Any], Any]

_SUPERVISOR: dict[str, Endpoint] = {
    "/v1/status": lambda mesh, query, body: mesh.status,
    "/v1/objects": FakeMesh.get_objects,
    "/v1/apply": FakeMesh.apply,
    "/v1/delete": FakeMesh.delete,
    "/v1/patch": FakeMesh.patch,
    "/v1/ready": FakeMesh.ready,
    "/v1/rollout": lambda mesh, query, body: mesh.rollout,
    "/v1/logs": lambda mesh, query, body: iter(mesh.logs),
    "/v1/token": lambda mesh, query, body: {
        "token": f"{body['namespace']}/{body['account']}/{body['audience']}/{body['seconds']}"
    },
    "/v1/envoy": lambda mesh, query, body: mesh.envoy[query["path"]],
    "/v1/down": FakeMesh.down,
}

_CONTROL_PLANE: dict[str, Endpoint] = {
    "/debug/syncz": lambda mesh, query, body: mesh.syncz,
    "/debug/clusterz": lambda mesh, query, body: mesh.clusterz,
    "/version": lambda mesh, query, body: b"0.1.0-mizzen-Clean",
    "/v1/findings": lambda mesh, query, body: mesh.findings(mesh),
    "/v1/resources": lambda mesh, query, body: mesh.resources,
    "/v1/wait": lambda mesh, query, body: mesh.verdict,
}


class _Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mesh: FakeMesh
    endpoints: dict[str, Endpoint]

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_args: object) -> None:
        return

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        self.mesh.requests.append((self.command, parts.path, {**query, **(body or {})}))
        try:
            answer = self.endpoints[parts.path](self.mesh, query, body)
        except LookupError as error:
            self._send(404, json.dumps({"error": str(error.args[0])}).encode())
            return
        if isinstance(answer, dict | list):
            self._send(200, json.dumps(answer).encode())
        elif isinstance(answer, bytes):
            self._send(200, answer)
        else:
            self._stream(answer)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def _stream(self, pieces: Any) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


def _handler(mesh: FakeMesh, endpoints: dict[str, Endpoint]) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Http,), {"mesh": mesh, "endpoints": endpoints})


def _exec_handler(mesh: FakeMesh) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            fds = array.array("i")
            data, ancillary, _, _ = self.request.recvmsg(1 << 16, socket.CMSG_SPACE(12))
            for _, _, piece in ancillary:
                fds.frombytes(piece)
            while not data.endswith(b"\n"):
                data += self.request.recv(1 << 16)
            order = json.loads(data)
            mesh.executed.append(order)
            try:
                done = subprocess.run(
                    order["command"], stdin=fds[0], stdout=fds[1], stderr=fds[2], cwd=order["cwd"], check=False
                )
                answer: Json = {"code": done.returncode}
            except OSError as error:
                answer = {"error": f"{order['command'][0]}: {error.strerror}"}
            finally:
                for fd in fds:
                    os.close(fd)
            self.request.sendall(json.dumps(answer).encode() + b"\n")

    return Handler


def pod(
    name: str,
    labels: dict[str, str] | None = None,
    ready: bool = True,
    namespace: str = "default",
    sidecar: bool = True,
) -> Json:
    """A pod as the lab would write it."""
    containers = [{"name": "app"}] + ([{"name": "istio-proxy"}] if sidecar else [])
    statuses = [{"name": c["name"], "ready": ready, "restartCount": 0, "state": {"running": {}}} for c in containers]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
        "spec": {"containers": containers},
        "status": {
            "phase": "Running",
            "podIP": "10.255.0.1",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": statuses,
        },
    }


def deployment(name: str, replicas: int = 1) -> Json:
    """A Deployment that selects app=NAME."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}},
        },
    }


def virtual_service(name: str, host: str = "reviews") -> Json:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"hosts": [host], "http": [{"route": [{"destination": {"host": host}}]}]},
    }
