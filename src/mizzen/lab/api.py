"""The supervisor's HTTP API on ``run/sock``. What it takes and gives is in docs/architecture.md, "Seams"."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import to_builtins

from mizzen.errors import LabError
from mizzen.lab import entries, view
from mizzen.lab.machines import is_machine
from mizzen.lab.merging import merge
from mizzen.lab.store import Event, Stored, key_of
from mizzen.lab.supervisor import Supervisor
from mizzen.model.finding import Finding, Level

Raw = dict[str, Any]
_POLL_SECONDS = 0.05
_LARGEST_BODY = 64 << 20


class Api:
    """One supervisor's API."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._store = supervisor.store
        self._runner: web.AppRunner | None = None
        self._changes = asyncio.Lock()

    async def start(self, path: Path) -> None:
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[_errors])
        app.add_routes(
            [
                web.get("/v1/status", self._status),
                web.get("/v1/objects", self._objects),
                web.post("/v1/apply", self._apply),
                web.post("/v1/delete", self._delete),
                web.post("/v1/patch", self._patch),
                web.post("/v1/entries", self._entries),
                web.post("/v1/token", self._token),
                web.get("/v1/ready", self._ready),
                web.get("/v1/rollout", self._rollout),
                web.get("/v1/logs", self._logs),
                web.route("*", "/v1/envoy", self._envoy),
                web.post("/v1/down", self._down),
            ]
        )
        path.unlink(missing_ok=True)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        before = os.umask(0o177)
        try:
            await web.UnixSite(self._runner, str(path)).start()
        finally:
            os.umask(before)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _status(self, _request: web.Request) -> web.Response:
        return web.json_response(view.status(self._supervisor))

    async def _objects(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if query.get("watch") not in ("1", "true"):
            items = self._store.list(query.get("kind", ""), query.get("namespace", ""), query.get("name", ""))
            return web.json_response({"revision": self._store.revision, "items": items})
        response = web.StreamResponse(headers={"content-type": "application/jsonlines"})
        queue = self._store.watch()
        try:
            told = [stored for stored in self._store.stored() if not is_machine(stored.raw)]
            first = [_line("ADDED", self._store.revision, stored) for stored in told]
            first.append(json.dumps({"type": "SYNCED", "revision": self._store.revision}).encode() + b"\n")
            await response.prepare(request)
            await response.write(b"".join(first))
            while True:
                events: list[Event] = [await queue.get()]
                while not queue.empty():
                    events.append(queue.get_nowait())
                lines = [_line(e.type, e.revision, e.stored) for e in events if not is_machine(e.stored.raw)]
                if lines:
                    await response.write(b"".join(lines))
        except (ConnectionError, OSError):
            return response
        finally:
            self._store.unwatch(queue)

    async def _apply(self, request: web.Request) -> web.Response:
        body = await request.json()
        atomic, dry_run = bool(body.get("atomic")), bool(body.get("dry_run"))
        documents = [(d["object"], d.get("origin")) for d in body.get("documents") or []]
        if not all(isinstance(raw, dict) for raw, _ in documents):
            raise web.HTTPBadRequest(text="every object must be a map")
        async with self._changes:
            checked = [(raw, origin, self._supervisor.admission.findings(raw, origin)) for raw, origin in documents]
            stop = atomic and any(_refused(found) for _, _, found in checked)
            results = [
                self._store_one(raw, origin, found, stop or dry_run, stop) for raw, origin, found in _in_order(checked)
            ]
        return web.json_response({"revision": self._store.revision, "results": results})

    def _describe(self, raw: Raw, found: list[Finding]) -> Raw:
        """Other labels and annotations of a pod that runs: the pod stays as it is (the API server lets these change)."""
        action, stored = self._store.put(raw, self._store.origin(raw))
        meta = stored["metadata"]
        self._supervisor.describe(meta["uid"], meta)
        names = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"]}
        return {**names, "findings": [to_builtins(f) for f in found], "action": action}

    def _store_one(self, raw: Raw, origin: Raw | None, found: list[Finding], dry: bool, stop: bool) -> Raw:
        kind, namespace, name = key_of(raw) if isinstance(raw.get("metadata"), dict) else ("", "", "")
        result = {"kind": kind, "namespace": namespace, "name": name, "findings": [to_builtins(f) for f in found]}
        if _refused(found) or not name:
            return {**result, "action": "refused"}
        prepared = self._supervisor.admission.prepare(raw)
        if dry:
            return {**result, "action": "refused" if stop else self._store.compare(prepared)}
        if kind == "Pod" and self._store.compare(prepared) == "configured":
            self._store.delete(kind, namespace, name)
        action, _ = self._store.put(prepared, origin, durable=True)
        return {**result, "action": action}

    async def _delete(self, request: web.Request) -> web.Response:
        body = await request.json()
        results = []
        async with self._changes:
            for item in body.get("objects") or []:
                kind, namespace, name = str(item["kind"]), str(item.get("namespace") or ""), str(item["name"])
                found = self._store.get(kind, namespace, name)
                if found is not None and kind == "Pod":
                    self._supervisor.controllers.remove_pod(found)
                elif found is not None:
                    self._store.delete(kind, namespace, name)
                    if kind == "Namespace":
                        self._empty(name)
                action = "deleted" if found is not None else "not found"
                results.append({"kind": kind, "namespace": namespace, "name": name, "action": action, "findings": []})
        return web.json_response({"revision": self._store.revision, "results": results})

    def _empty(self, namespace: str) -> None:
        for raw in self._store.list("", namespace):
            if raw["kind"] == "Pod":
                self._supervisor.controllers.remove_pod(raw)
            else:
                self._store.delete(*key_of(raw))

    async def _patch(self, request: web.Request) -> web.Response:
        body = await request.json()
        async with self._changes:
            old = self._store.get(str(body["kind"]), str(body.get("namespace") or "default"), str(body["name"]))
            if old is None:
                raise web.HTTPNotFound(text=f"{body['kind']} {body.get('namespace')}/{body['name']} does not exist")
            new = merge(old, body.get("patch") or {})
            origin = self._store.origin(old)
            found = self._supervisor.admission.findings(new, origin)
            if new.get("kind") == "Pod" and new.get("spec") == old.get("spec") and not _refused(found):
                result = self._describe(new, found)
            else:
                result = self._store_one(new, origin, found, False, False)
        return web.json_response({"revision": self._store.revision, "results": [result]})

    async def _entries(self, request: web.Request) -> web.Response:
        body = await request.json()
        async with self._changes:
            return web.json_response({"done": entries.write(self._store, body)})

    async def _token(self, request: web.Request) -> web.Response:
        """A token of a service account alone, as the API server's TokenRequest makes them, for a machine."""
        body = await request.json()
        namespace, name, seconds = str(body["namespace"]), str(body["account"]), int(body["seconds"])
        account = self._store.get("ServiceAccount", namespace, name)
        if account is None:
            raise web.HTTPNotFound(text=f"there is no ServiceAccount {namespace}/{name}")
        uid, audiences = account["metadata"]["uid"], [str(body["audience"])]
        tokens = self._supervisor.tokens
        token = tokens.issue_to_account(namespace, name, uid, audiences, seconds, int(time.time()))
        return web.json_response({"token": token})

    async def _ready(self, request: web.Request) -> web.Response:
        deadline = time.monotonic() + float(request.query.get("timeout", "0") or 0)
        waiting = view.waiting(self._supervisor)
        while waiting and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            waiting = view.waiting(self._supervisor)
        return web.json_response({"ready": not waiting, "waiting": waiting, "stuck": view.stuck(self._supervisor)})

    async def _rollout(self, request: web.Request) -> web.Response:
        query = request.query
        deadline = time.monotonic() + float(query.get("timeout", "0") or 0)
        while True:
            raw = self._store.get(query["kind"], query.get("namespace") or "default", query["name"])
            if raw is None:
                raise web.HTTPNotFound(text=f"{query['kind']} {query['name']} does not exist")
            done, message = view.rollout(raw)
            if done or time.monotonic() >= deadline:
                return web.json_response({"done": done, "message": message})
            await asyncio.sleep(_POLL_SECONDS)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        path = self._log_file(request)
        tail, follow = int(request.query.get("tail", "-1") or -1), request.query.get("follow") in ("1", "true")
        response = web.StreamResponse(headers={"content-type": "text/plain; charset=utf-8"})
        await response.prepare(request)
        position = 0
        while True:
            with contextlib.suppress(FileNotFoundError):
                data = await asyncio.to_thread(_read_from, path, position)
                position += len(data)
                if tail >= 0:
                    data, tail = b"".join(data.splitlines(keepends=True)[-tail:] if tail else []), -1
                if data:
                    await response.write(data)
            if not follow:
                return response
            await asyncio.sleep(0.1)

    def _log_file(self, request: web.Request) -> Path:
        namespace, name = request.query.get("namespace") or "default", request.query.get("pod", "")
        logs = self._supervisor.state / "run" / "logs"
        if namespace == "istio-system" and name == self._supervisor.controlplane.pod_name:
            return logs / "istiod" / "discovery.log"
        raw = self._store.get("Pod", namespace, name)
        if raw is None:
            raise web.HTTPNotFound(text=f"pod {namespace}/{name} does not exist")
        names = [
            str(c.get("name"))
            for c in [*(raw["spec"].get("containers") or []), *(raw["spec"].get("initContainers") or [])]
        ]
        annotations = raw["metadata"].get("annotations") or {}
        wanted = (
            request.query.get("container") or annotations.get("kubectl.kubernetes.io/default-container") or names[0]
        )
        if wanted not in names:
            raise web.HTTPNotFound(
                text=f"pod {namespace}/{name} has no container {wanted!r}; it has {', '.join(names)}"
            )
        return logs / str(raw["metadata"]["uid"]) / f"{wanted}.log"

    async def _envoy(self, request: web.Request) -> web.Response:
        from mizzen.lab.admin import ask

        query = request.query
        pod = self._supervisor.find_pod(query.get("namespace") or "default", query.get("pod", ""))
        if pod is None or not pod.holder:
            raise web.HTTPNotFound(text=f"pod {query.get('namespace')}/{query.get('pod')} does not run")
        method = query.get("method") or request.method
        status, kind, body = await ask(
            f"/proc/{pod.holder}/ns/net", method, query.get("path") or "/", await request.read()
        )
        return web.Response(status=status, body=body, headers={"content-type": kind})

    async def _down(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        if body.get("purge"):
            self._supervisor.purge = True
        await self._supervisor.down(bool(body.get("drain")))
        return web.json_response({"down": True})


def _line(kind: str, revision: int, stored: Stored) -> bytes:
    return (
        json.dumps(
            {"type": kind, "revision": revision, "object": stored.raw, "origin": stored.origin}, default=str
        ).encode()
        + b"\n"
    )


def _refused(found: list[Finding]) -> bool:
    return any(finding.level == Level.ERROR for finding in found)


_FIRST = ("Namespace", "ServiceAccount", "ConfigMap", "Secret", "Service")


def _in_order(checked: list[tuple[Raw, Raw | None, list[Finding]]]) -> list[tuple[Raw, Raw | None, list[Finding]]]:
    """What pods need comes before pods; otherwise the order of the files."""
    return sorted(
        checked, key=lambda item: _FIRST.index(item[0]["kind"]) if item[0].get("kind") in _FIRST else len(_FIRST)
    )


def _read_from(path: Path, position: int) -> bytes:
    with path.open("rb") as file:
        file.seek(position)
        return file.read()


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        return web.json_response({"error": error.text or error.reason}, status=error.status)
    except LabError as error:
        return web.json_response({"error": str(error), "hint": error.hint}, status=500)
    except (KeyError, ValueError, TypeError) as error:
        return web.json_response({"error": f"bad request: {error!r}"}, status=400)
    return response
