"""A server of modules: files over HTTP, and images by the OCI distribution protocol, some of them behind a password.

It needs only the standard library, so that ``python registry.py PORT CONTENT`` also runs in a pod, with the file that
:meth:`Content.write` makes. ``/log`` lists who asked for what.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import ssl
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "let-me-in"
OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
ARTIFACT = "application/vnd.module.wasm.content.layer.v1+wasm"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def archive(files: dict[str, bytes]) -> bytes:
    """A compressed archive."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as made:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)


class Content:
    """What is served; ``passwords`` are ``user:password`` by repository."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.passwords: dict[str, str] = {}
        self.scheme = "Bearer"
        self.moved: dict[str, str] = {}
        """Blobs that are elsewhere."""

    def put(self, name: str, layers: list[tuple[str, bytes]], kind: str = f"{OCI}manifest.v1+json") -> str:
        """The image ``repository:tag``; its digest."""
        listed = []
        for media_type, data in layers:
            self.blobs[digest_of(data)] = data
            listed.append({"mediaType": media_type, "digest": digest_of(data), "size": len(data)})
        return self.manifest(name, {"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": listed}, kind)

    def manifest(self, name: str, document: object, kind: str) -> str:
        data = json.dumps(document).encode()
        repository = name.partition(":")[0]
        self.manifests[name] = self.manifests[f"{repository}:{digest_of(data)}"] = (kind, data)
        return digest_of(data)

    def artifact(self, name: str, module: bytes) -> str:
        """As an OCI artifact."""
        return self.put(name, [(ARTIFACT, module)])

    def compat(self, name: str, module: bytes) -> str:
        """As an OCI image of one layer."""
        return self.put(name, [(f"{OCI}layer.v1.tar+gzip", archive({"./plugin.wasm": module}))])

    def docker(self, name: str, module: bytes) -> str:
        """As Docker has it."""
        kind = f"{DOCKER}distribution.manifest.v2+json"
        return self.put(name, [(f"{DOCKER}image.rootfs.diff.tar.gzip", archive({"plugin.wasm": module}))], kind)

    def write(self) -> str:
        def packed(entries: dict[str, bytes]) -> dict[str, str]:
            return {name: base64.b64encode(data).decode() for name, data in entries.items()}

        manifests = {name: [kind, data.decode()] for name, (kind, data) in self.manifests.items()}
        return json.dumps(
            {
                "files": packed(self.files),
                "blobs": packed(self.blobs),
                "manifests": manifests,
                "passwords": self.passwords,
            }
        )

    @classmethod
    def read(cls, text: str) -> Content:
        made, found = cls(), json.loads(text)
        made.files = {name: base64.b64decode(data) for name, data in found["files"].items()}
        made.blobs = {name: base64.b64decode(data) for name, data in found["blobs"].items()}
        made.manifests = {name: (kind, data.encode()) for name, (kind, data) in found["manifests"].items()}
        made.passwords = found["passwords"]
        return made


class Handler(BaseHTTPRequestHandler):
    content: Content
    log: list[tuple[str, str, str]]
    """Caller, path, and the kind of authorization that it sent."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        sent = self.headers.get("Authorization", "").partition(" ")
        if path == "/log":
            self._answer(200, json.dumps(self.log).encode())
            return
        self.log.append((self.client_address[0], path, sent[0]))
        if path.startswith("/files/"):
            data = self.content.files.get(path.removeprefix("/files/"))
            self._answer(200 if data is not None else 404, data or b"")
        elif path == "/token":
            known = sent[2] and base64.b64decode(sent[2]).decode() in self.content.passwords.values()
            self._answer(200 if known else 403, json.dumps({"token": TOKEN}).encode() if known else b"{}")
        elif path == "/moved":
            self._answer(302, b"", Location=query)
        elif path == "/drips":
            self._endless(0.05)
        elif path == "/endless":
            self._endless(0)
        else:
            self._image(path, sent[0], sent[2])

    def _image(self, path: str, kind: str, secret: str) -> None:
        name, _, what = path.removeprefix("/v2/").rpartition("/")
        repository, _, sort = name.rpartition("/")
        wanted = self.content.passwords.get(repository)
        given = TOKEN if self.content.scheme == "Bearer" else base64.b64encode((wanted or "").encode()).decode()
        if wanted and (kind, secret) != (self.content.scheme, given):
            challenge = f'{self.content.scheme} realm="http://{self.headers["Host"]}/token",service="here"'
            self._answer(401, b"", **{"WWW-Authenticate": challenge})
            return
        media_type, data = ("application/octet-stream", self.content.blobs.get(what))
        if what in self.content.moved:
            self._answer(307, b"", Location=self.content.moved[what])
            return
        if sort == "manifests":
            media_type, data = self.content.manifests.get(f"{repository}:{what}", ("", None))
        self._answer(200 if data is not None else 404, data or b"", **{"Content-Type": media_type})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _endless(self, pause: float) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"\0asm" * (1 if pause else 4096))
                time.sleep(pause)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


def server(content: Content, port: int = 0, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Not yet at work: ``serve_forever`` is."""
    handler = type("_Handler", (Handler,), {"content": content, "log": []})
    return ThreadingHTTPServer((host, port), handler)


@contextlib.contextmanager
def serving(content: Content, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """On loopback: ``host:port`` and the log."""
    made = server(content)
    if tls is not None:
        made.socket = tls.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{made.server_address[1]}", made.RequestHandlerClass.log  # type: ignore[attr-defined]
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        loaded = Content.read(file.read())
    server(loaded, int(sys.argv[1]), "0.0.0.0").serve_forever()
