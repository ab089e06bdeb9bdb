"""A small world for one agent on loopback: a CA behind HTTPS, an xDS server that gives nothing but an answer, files, ports."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

TOKEN = "the.pods.token"
HOST = "localhost"


class Authority:
    """Signs what the agent asks for, with the lifetime of the moment; can be told to fail."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "test")])
        self.name, self.seconds, self.failing, self.requests = name, 3600, False, []
        self.root = self.certificate(self.key.public_key(), name, 3600, ca=True)

    def certificate(self, public, subject, seconds, *, ca=False, names=()):
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(
            now - datetime.timedelta(seconds=60)
        )
        builder = builder.not_valid_after(now + datetime.timedelta(seconds=seconds))
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def sign(self, csr: str) -> dict:
        request = x509.load_pem_x509_csr(csr.encode())
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        leaf = self.certificate(request.public_key(), x509.Name([]), self.seconds, names=names)
        return {"cert_chain": [pem(leaf)], "roots": [pem(self.root)]}


def pem(certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key) -> str:
    form, syntax, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(form, syntax, plain).decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Discovery(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):
    """Answers every delta subscription with nothing, which is a valid configuration. Keeps the nodes it saw."""

    def __init__(self) -> None:
        self.nodes, self.answering, self.identities = [], threading.Event(), []

    def DeltaAggregatedResources(self, requests, context):
        self.identities.append(context.peer_identities())
        for request in requests:
            if request.HasField("node"):
                self.nodes.append(request.node)
            self.answering.wait()
            if not request.response_nonce:
                yield discovery_pb2.DeltaDiscoveryResponse(
                    type_url=request.type_url, nonce=request.type_url, system_version_info="1"
                )


def without_plugins(asked):
    """What a control plane answers to an agent's poll for modules when there are none: at once, and then not for long."""
    if asked["version"] == "1":
        threading.Event().wait(30)
    return {"version": "1", "modules": []}


class World:
    """Everything that the agent meets, and the agent itself once :meth:`start` was called."""

    def __init__(self, path: Path) -> None:
        self.path, self.authority, self.discovery = path, Authority(), Discovery()
        self.ports = {name: free_port() for name in ("status", "admin", "ready", "metrics")}
        self.process = None
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self.authority.certificate(key.public_key(), x509.Name([]), 3600, names=[x509.DNSName(HOST)])
        self.server_key, self.server_cert = key_pem(key), pem(leaf)
        (path / "root.pem").write_text(pem(self.authority.root))
        (path / "server.pem").write_text(self.server_cert + self.server_key)
        (path / "token").write_text(TOKEN)
        pod = path / "pod"
        pod.mkdir()
        (pod / "labels").write_text('app="web"\nversion="v1"\npod-template-hash="abc"\n')
        (pod / "annotations").write_text("")
        self.https = self._serve_certificates()
        self.grpc, self.discovery_port = self._serve_discovery()

    def _serve_certificates(self):
        authority = self.authority

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.path == "/agent/v1/modules":
                    self._answer(200, json.dumps(without_plugins(body)).encode())
                    return
                authority.requests.append({"path": self.path, "authorization": self.headers["authorization"], **body})
                good = not authority.failing
                answer = json.dumps(authority.sign(body["csr"])).encode() if good else b"not now"
                self._answer(200 if good else 503, answer)

            def _answer(self, status, answer):
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever polled may be gone
                    self.wfile.write(answer)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path / "server.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def _serve_discovery(self):
        server = grpc.server(futures.ThreadPoolExecutor(4))
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self.discovery, server)
        pair = [(self.server_key.encode(), self.server_cert.encode())]
        root = pem(self.authority.root).encode()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair, root, require_client_auth=True))
        server.start()
        return server, port

    def config(self, **more) -> str:
        """PROXY_CONFIG."""
        config = {
            "statusPort": self.ports["status"],
            "proxyAdminPort": self.ports["admin"],
            "discoveryAddress": f"{HOST}:{self.discovery_port}",
            "terminationDrainDuration": "1s",
            "concurrency": 1,
        }
        return json.dumps({**config, **more})

    def environment(self, **more) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            "PROXY_CONFIG": self.config(),
            "POD_NAME": "web-1",
            "POD_NAMESPACE": "shop",
            "SERVICE_ACCOUNT": "web-sa",
            "INSTANCE_IP": "127.0.0.1",
            "ISTIO_META_WORKLOAD_NAME": "web",
            "ENVOY_STATUS_PORT": str(self.ports["ready"]),
            "ENVOY_PROMETHEUS_PORT": str(self.ports["metrics"]),
            "MIZZEN_ENROLL_URL": f"https://{HOST}:{self.https.server_address[1]}",
            "MIZZEN_CONFIG_PATH": str(self.path / "proxy"),
            "MIZZEN_POD_INFO": str(self.path / "pod"),
            "MIZZEN_TOKEN_PATH": str(self.path / "token"),
            "MIZZEN_ROOT_CERT": str(self.path / "root.pem"),
            **more,
        }

    def start(self, role: str = "sidecar", options: tuple[str, ...] = (), **env) -> None:
        command = [sys.executable, "-m", "mizzen.agent", "proxy", role, "--domain", "shop.svc.cluster.local", *options]
        log = (self.path / "log").open("w")
        self.process = subprocess.Popen(command, env=self.environment(**env), stdout=log, stderr=log)
        log.close()

    def log(self) -> str:
        return (self.path / "log").read_text()

    def ask(self, port: str, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and body; (0, why) when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=5)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()

    def until(self, condition, seconds: float = 20.0):
        """Poll until ``condition()`` is truthy and return that; fails with the agent's log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds}s; the agent's log:\n{self.log()}")

    def serials(self) -> set[str]:
        status, body = self.ask("admin", "/certs")
        if status != 200:
            return set()
        return {one["serial_number"] for pair in json.loads(body)["certificates"] for one in pair.get("cert_chain", [])}

    def close(self) -> None:
        self.discovery.answering.set()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(8)
            if self.process.poll() is None:
                for child in children(self.process.pid):
                    os.kill(child, signal.SIGKILL)
                self.process.kill()
                self.process.wait()
        self.grpc.stop(None).wait()
        self.https.shutdown()
        self.https.server_close()


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]
