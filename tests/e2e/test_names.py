"""Names and service addresses in a pod without a sidecar, which has nothing but the lab's own resolver and routes."""

import json

import pytest

from tests.e2e.mesh import Mesh

pytestmark = pytest.mark.lab

PLAIN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: bare}
spec:
  selector: {matchLabels: {app: bare}}
  template:
    metadata: {labels: {app: bare, sidecar.istio.io/inject: "false"}}
    spec: {containers: [{name: c, image: curl, command: [/bin/sleep, infinity]}]}
"""
ASK = """
import json, socket, struct, sys, time
server = next(line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver"))
name, kind = sys.argv[1], int(sys.argv[2])
question = b"\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0" + b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
question += b"\\0" + struct.pack(">HH", kind, 1)
found = {}
for protocol in ("udp", "tcp"):
    begin = time.monotonic()
    if protocol == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(question, (server, 53))
            data = s.recv(4096)
    else:
        with socket.create_connection((server, 53), 5) as s:
            s.sendall(struct.pack(">H", len(question)) + question)
            data = s.recv(4096)[2:]
    found[protocol] = {"rcode": data[3] & 15, "answers": data[7], "seconds": time.monotonic() - begin}
print(json.dumps(found))
"""
A, AAAA = "1", "28"
NOERROR, NXDOMAIN = 0, 3


@pytest.fixture
def bare(mesh: Mesh) -> Mesh:
    """The shared mesh with a pod ``bare`` that has no sidecar, in the namespace of Bookinfo."""
    mesh.apply(PLAIN)
    mesh.run("rollout", "status", "deploy/bare", "--timeout", "20s")
    return mesh


def call(mesh: Mesh, *command: str) -> tuple[int, str]:
    """Exit code and output of a command in the pod."""
    done = mesh.run("exec", "deploy/bare", "--", *command, expect=None)
    return done.code, done.out or done.err


def ask(mesh: Mesh, name: str, kind: str = A) -> dict[str, dict[str, float]]:
    """What the pod's resolver says over UDP and over TCP."""
    code, out = call(mesh, "python3", "-c", ASK, name, kind)
    assert code == 0, out
    return dict(json.loads(out))


def test_a_pod_without_sidecar_resolves_and_calls_a_service_by_its_short_name(bare: Mesh) -> None:
    code, out = call(bare, "getent", "hosts", "reviews")
    assert (code, out.split()[1]) == (0, "reviews.default.svc.cluster.local")
    code, out = call(bare, "curl", "-s", "--max-time", "5", "http://reviews:9080/reviews/0")
    assert code == 0
    assert '"podname"' in out


def test_names_are_answered_over_udp_and_tcp_at_once(bare: Mesh) -> None:
    expected = {
        ("reviews.default.svc.cluster.local", A): (NOERROR, 1),
        ("reviews.default.svc.cluster.local", AAAA): (NOERROR, 0),
        ("missing.default.svc.cluster.local", A): (NXDOMAIN, 0),
        ("example.com.default.svc.cluster.local", A): (NXDOMAIN, 0),
    }
    for (name, kind), wanted in expected.items():
        for protocol, told in ask(bare, name, kind).items():
            assert (told["rcode"], told["answers"]) == wanted, f"{name} over {protocol}"
            assert told["seconds"] < 0.5, f"{name} over {protocol}"
