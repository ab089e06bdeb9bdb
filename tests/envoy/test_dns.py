"""The agent with a DNS proxy beside a real Envoy, through which it hears of names."""

import json
import socket
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from dnslib import RCODE, DNSRecord

from tests.envoy.agent_world import World, free_port, pem, without_plugins

pytestmark = pytest.mark.envoy


class Plane:
    """The control plane's HTTPS port: certificates for whoever asks, news for whoever has one."""

    def __init__(self, world: World) -> None:
        self.names: dict[str, Any] = {}
        self.version = 0
        self.polls: list[tuple[str, dict[str, str]]] = []
        self._news = threading.Condition()
        plane = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                modules = self.path == "/agent/v1/modules"
                self._answer(without_plugins(body) if modules else world.authority.sign(body["csr"]))

            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                asked = dict(urllib.parse.parse_qsl(query))
                uri = dict(self.connection.getpeercert()["subjectAltName"])["URI"]  # type: ignore[attr-defined]
                plane.polls.append((f"{path} {uri}", asked))
                with plane._news:
                    plane._news.wait_for(lambda: plane.version and asked.get("names") != str(plane.version), 20)
                    answer = {
                        "version": "r",
                        "roots": [],
                        "names": {"version": str(plane.version), "table": plane.names},
                    }
                self._answer(answer)

            def _answer(self, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(world.path / "server.pem")
        context.load_verify_locations(cadata=pem(world.authority.root))
        context.verify_mode = ssl.CERT_OPTIONAL
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def tell(self, **names: list[str]) -> None:
        """The table from now on: hosts and their addresses."""
        with self._news:
            self.names = {host: {"ips": ips, "registry": "External"} for host, ips in names.items()}
            self.version += 1
            self._news.notify_all()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def ask(port: int, name: str, *, tcp: bool = False) -> DNSRecord:
    return DNSRecord.parse(DNSRecord.question(name).send("127.0.0.1", port, tcp=tcp, timeout=3))


@pytest.mark.row("DN-01", "DN-02", "DN-03", "PO-06", "PO-08", "AG-11")
@pytest.mark.parametrize(("role", "switch"), [("sidecar", "DNS_CAPTURE"), ("router", "ENABLE_DNS_SERVER")])
def test_names_arrive_through_envoy_and_are_answered(tmp_path: Path, role: str, switch: str) -> None:
    world = World(tmp_path)
    plane, port = Plane(world), free_port()
    try:
        world.discovery.answering.set()
        url = f"https://localhost:{plane.port}"
        env = {f"ISTIO_META_{switch}": "true", "DNS_PROXY_ADDR": f"127.0.0.1:{port}", "MIZZEN_ENROLL_URL": url}
        world.start(role, **env)
        world.until(lambda: listens(port))
        assert ask(port, "a.test").header.rcode == RCODE.SERVFAIL
        plane.tell(**{"a.test": ["10.0.0.1"], "*.b.test": ["10.0.0.2"]})
        world.until(lambda: ask(port, "a.test").header.rcode == RCODE.NOERROR)
        for tcp in (False, True):
            assert str(ask(port, "a.test", tcp=tcp).rr[0].rdata) == "10.0.0.1"
            assert str(ask(port, "x.b.test", tcp=tcp).rr[0].rdata) == "10.0.0.2"
        plane.tell(**{"a.test": ["10.0.0.3"]})
        world.until(lambda: str(ask(port, "a.test").rr[0].rdata) == "10.0.0.3")
        status, body = world.ask("status", "/debug/ndsz")
        assert (status, json.loads(body)["table"]) == (200, {"a.test": {"ips": ["10.0.0.3"], "registry": "External"}})
        who, asked = plane.polls[0]
        assert who == "/agent/v1/watch spiffe://cluster.local/ns/shop/sa/web-sa"
        assert asked["node"].startswith(f"{role}~127.0.0.1~web-1.shop~")
        assert json.loads(asked["metadata"])[switch] == "true"
        assert (tmp_path / "proxy" / "watch.sock").stat().st_mode & 0o777 == 0o600
        assert refused(tmp_path / "proxy" / "watch.sock", "POST /agent/v1/watch", "GET /agent/v1/certificate")
        assert pss(world.process.pid) <= 20 * 1024
    finally:
        world.close()
        plane.close()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def refused(path: Path, *lines: str) -> bool:
    """Whether Envoy answers each of these requests with 404."""
    for line in lines:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(path))
            client.sendall(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            if b" 404 " not in client.recv(4096).split(b"\r\n")[0]:
                return False
    return True


def pss(pid: int) -> int:
    """Kilobytes."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1])
