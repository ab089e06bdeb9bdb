"""The client of a mesh's two Unix sockets: the supervisor's API, exec, and the control plane's debug API.

It speaks HTTP by the standard library on purpose: importing aiohttp costs a command 200 ms, http.client 25 ms (ADR 0006).
One request is one connection, so that a client that dies leaves nothing behind in the supervisor.
"""

from __future__ import annotations

import array
import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from mizzen.errors import LabError

Json = dict[str, Any]

_CHUNK = 65536
_EXEC_LINE_LIMIT = 1 << 20


class NotRunning(LabError):
    """Nobody listens on the socket: the mesh was not started, or its process died."""


class NeedsRoot(LabError):
    """The socket belongs to another user (its mode is 0600)."""


class ApiError(LabError):
    """The server answered with an error. ``status`` is the HTTP status code."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def connect(path: Path, timeout: float | None = None) -> socket.socket:
    """A stream connection to the Unix socket ``path``. Raises NotRunning or NeedsRoot.

    The layout is STATE/run/NAME, where the last part of STATE is the mesh. ``path`` may be longer than the 107 bytes that a socket address holds: then it is reached through ``/proc/self/fd``.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    directory = -1
    try:
        if len(os.fsencode(path)) > 107:
            directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            sock.connect(f"/proc/self/fd/{directory}/{path.name}")
        else:
            sock.connect(str(path))
    except PermissionError:
        sock.close()
        raise NeedsRoot(
            f"needs root: {path} belongs to another user",
            "run the command with sudo, or as the user who started the mesh",
        ) from None
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        sock.close()
        mesh = path.parent.parent.name
        if path.name == "controlplane.sock":
            raise NotRunning(
                f"the control plane of mesh {mesh} does not answer", "see whether the mesh runs: `mizzen ps`"
            ) from None
        raise NotRunning(
            f"mesh {mesh} is not running (nothing answers on {path})", "start it with `mizzen up`"
        ) from None
    except OSError:
        sock.close()
        raise
    finally:
        if directory >= 0:
            os.close(directory)
    return sock


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = connect(self._path, self.timeout)


class UnixApi:
    """HTTP requests over one Unix socket. ``timeout`` (seconds) bounds the wait for an answer to begin."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self.path = path
        self.timeout = timeout

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout: float | None = None,
    ) -> bytes:
        """The body of the answer. Raises NotRunning, NeedsRoot, ApiError, and LabError when the connection breaks."""
        connection = _Connection(self.path, self.timeout if timeout is None else timeout)
        try:
            return self._send(connection, method, path, query, body).read()
        except TimeoutError:
            raise LabError(
                f"{method} {path} was not answered in time", "try again; `mizzen logs` of istiod may tell why"
            ) from None
        except (http.client.HTTPException, OSError) as error:
            raise LabError(
                f"the connection to {self.path} broke: {error}", "see whether the mesh still runs: `mizzen ps`"
            ) from None
        finally:
            connection.close()

    def stream(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """The body of a GET as it arrives, without a time limit between pieces."""
        connection = _Connection(self.path, self.timeout)
        try:
            response = self._send(connection, "GET", path, query, None)
            if connection.sock is not None:
                connection.sock.settimeout(None)
            while chunk := response.read1(_CHUNK):
                yield chunk
        except (http.client.HTTPException, OSError) as error:
            raise LabError(
                f"the connection to {self.path} broke: {error}", "see whether the mesh still runs: `mizzen ps`"
            ) from None
        finally:
            connection.close()

    def json(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout: float | None = None,
    ) -> Any:
        """The decoded answer; see :meth:`request`."""
        return json.loads(self.request(method, path, query, body, timeout))

    @staticmethod
    def _send(
        connection: http.client.HTTPConnection, method: str, path: str, query: Mapping[str, Any] | None, body: Any
    ) -> http.client.HTTPResponse:
        asked = {key: value for key, value in (query or {}).items() if value is not None}
        target = f"{path}?{urlencode(asked)}" if asked else path
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        connection.request(method, target, data, headers)
        response = connection.getresponse()
        if response.status >= 400:
            raise ApiError(_error_text(response.read(), response.status), response.status)
        return response


def _error_text(body: bytes, status: int) -> str:
    text = body.decode("utf-8", "replace").strip()
    try:
        decoded = json.loads(text)
    except ValueError:
        return text or f"HTTP status {status}"
    if isinstance(decoded, dict):
        return str(decoded.get("error") or decoded.get("message") or text)
    return text


class LabClient:
    """The supervisor of one mesh. ``state`` is the mesh's state directory; times are in seconds."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._api = UnixApi(state / "run" / "sock")

    def status(self) -> Json:
        """The document of ``mizzen ps -o json``."""
        return cast(Json, self._api.json("GET", "/v1/status"))

    def running(self) -> bool:
        """Whether a supervisor answers. Raises NeedsRoot when it is another user's."""
        try:
            connect(self._api.path, 5).close()
        except NotRunning:
            return False
        return True

    def objects(self, kind: str = "", namespace: str | None = None, name: str | None = None) -> tuple[int, list[Json]]:
        """(revision, the raw objects that match). No namespace means all."""
        answer = self._api.json("GET", "/v1/objects", {"kind": kind or None, "namespace": namespace, "name": name})
        return int(answer["revision"]), list(answer["items"])

    def apply(self, documents: Sequence[Json], *, atomic: bool = False, dry_run: bool = False) -> Json:
        """``documents`` are {"object": raw, "origin": {"file", "line"} or None}."""
        body = {"documents": list(documents), "atomic": atomic, "dry_run": dry_run}
        return cast(Json, self._api.json("POST", "/v1/apply", body=body, timeout=120))

    def delete(self, objects: Sequence[Json]) -> Json:
        """``objects`` are {"kind", "namespace", "name"}."""
        return cast(Json, self._api.json("POST", "/v1/delete", body={"objects": list(objects)}, timeout=120))

    def patch(self, kind: str, namespace: str, name: str, patch: Json) -> Json:
        """A JSON merge patch (RFC 7396) of one object; answers like :meth:`apply`."""
        body = {"kind": kind, "namespace": namespace, "name": name, "patch": patch}
        return cast(Json, self._api.json("POST", "/v1/patch", body=body))

    def token(self, namespace: str, account: str, audience: str, seconds: int) -> str:
        """A token of a service account that is bound to no pod. Raises ApiError when there is no such account."""
        body = {"namespace": namespace, "account": account, "audience": audience, "seconds": seconds}
        return str(self._api.json("POST", "/v1/token", body=body)["token"])

    def ready(self, timeout: float) -> Json:
        """{"ready": bool, "waiting": [text], "stuck": whether only a change of some object can help}, when all is ready or after ``timeout``."""
        return cast(Json, self._api.json("GET", "/v1/ready", {"timeout": timeout}, timeout=timeout + 10))

    def rollout(self, kind: str, namespace: str, name: str, timeout: float) -> Json:
        """{"done": bool, "message": text}, when the workload is rolled out or after ``timeout``."""
        query = {"kind": kind, "namespace": namespace, "name": name, "timeout": timeout}
        return cast(Json, self._api.json("GET", "/v1/rollout", query, timeout=timeout + 10))

    def logs(
        self, namespace: str, pod: str, container: str, *, follow: bool = False, tail: int | None = None
    ) -> Iterator[bytes]:
        """What the container wrote, in pieces as they come."""
        query = {"namespace": namespace, "pod": pod, "container": container, "follow": int(follow), "tail": tail}
        return self._api.stream("/v1/logs", query)

    def envoy(self, namespace: str, pod: str, path: str, method: str = "GET") -> bytes:
        """What the admin port of the pod's Envoy answers to ``path``."""
        query = {"namespace": namespace, "pod": pod, "path": path, "method": method if method != "GET" else None}
        return self._api.request("GET", "/v1/envoy", query)

    def down(self, *, purge: bool = False, drain: bool = False) -> None:
        """End every pod, then the supervisor."""
        self._api.request("POST", "/v1/down", body={"purge": purge, "drain": drain}, timeout=120)

    def execute(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        fds: tuple[int, int, int] = (0, 1, 2),
    ) -> int:
        """Run ``command`` in the pod on our own three descriptors; its exit code.

        Raises LabError when it could not start. Ending this call early (KeyboardInterrupt) hangs up, which ends the command.
        """
        order = {
            "namespace": namespace,
            "pod": pod,
            "container": container,
            "command": list(command),
            "cwd": cwd,
            "env": None if env is None else dict(env),
        }
        with connect(self.state / "run" / "exec.sock") as sock:
            line = json.dumps(order).encode() + b"\n"
            sent = sock.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
            # Never an empty write: a peer that has already answered and gone would fail it.
            if sent < len(line):
                sock.sendall(line[sent:])
            answer = _read_line(sock)
        if "code" not in answer:
            raise LabError(str(answer.get("error") or "the command could not be started"))
        return int(answer["code"])


def _read_line(sock: socket.socket) -> Json:
    data = b""
    while b"\n" not in data and len(data) < _EXEC_LINE_LIMIT:
        piece = sock.recv(_CHUNK)
        if not piece:
            break
        data += piece
    try:
        return cast(Json, json.loads(data))
    except ValueError:
        raise LabError("the mesh hung up before the command ended", "see whether it still runs: `mizzen ps`") from None


class ControlPlaneClient:
    """The control plane's debug API. ``state`` is the mesh's state directory."""

    def __init__(self, state: Path) -> None:
        self._api = UnixApi(state / "run" / "controlplane.sock")

    def syncz(self) -> list[Json]:
        """One entry per connected proxy: what was sent and acknowledged, by type."""
        return list(self._api.json("GET", "/debug/syncz"))

    def clusterz(self) -> list[Json]:
        """{"id", "secretName", "syncStatus"} of the own cluster, then of each other one."""
        return list(self._api.json("GET", "/debug/clusterz"))

    def version(self) -> str:
        """Such as ``0.1.0-mizzen-Clean``: version, build and state of the tree."""
        return self._api.request("GET", "/version").decode().strip()

    def findings(self, revision: int = 0, timeout: float = 5.0) -> list[Json]:
        """What is known of the objects once ``revision`` is built. Raises LabError when it is not within ``timeout`` seconds."""
        query = {"revision": revision, "timeout": timeout}
        return list(self._api.json("GET", "/v1/findings", query, timeout=timeout + 10))

    def resources(self, proxy: str) -> dict[str, dict[str, Json]]:
        """{type URL: {resource name: {"version", "body" (base64)}}} as the proxy ought to have them."""
        return cast("dict[str, dict[str, Json]]", self._api.json("GET", "/v1/resources", {"proxy": proxy}))

    def patches(self) -> dict[str, list[Json]]:
        """What became of each EnvoyFilter patch, by node id: namespace, name, index, apply_to, status, reason."""
        return cast("dict[str, list[Json]]", self._api.json("GET", "/v1/patches"))

    def wait(self, revision: int, timeout: float) -> Json:
        """{"snapshot", "done", "concerned", "acked", "refused", "disconnected"} for the change that was ``revision``."""
        return cast(
            Json, self._api.json("GET", "/v1/wait", {"revision": revision, "timeout": timeout}, timeout=timeout + 10)
        )
