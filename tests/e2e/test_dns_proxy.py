"""The DNS proxy of the agent in real pods: what programs resolve, and where their connections then go."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
import yaml

from tests.e2e.load import POD_PYTHON
from tests.e2e.mesh import Mesh, documents_of
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

MESH = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    defaultConfig:
      proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}
---
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain}
"""
CALLER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %(name)s, namespace: %(namespace)s}
spec:
  selector: {matchLabels: {app: %(name)s}}
  template:
    metadata:
      labels: {app: %(name)s}
      annotations: %(annotations)s
    spec: {containers: [{name: curl, image: curl, command: [/bin/sleep, infinity]}]}
"""
SERVER = """
apiVersion: v1
kind: Service
metadata: {name: %(name)s, namespace: %(namespace)s}
spec: {selector: {app: %(name)s}, ports: [{name: %(port)s, port: 9000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %(name)s, namespace: %(namespace)s}
spec:
  selector: {matchLabels: {app: %(name)s}}
  template:
    metadata: {labels: {app: %(name)s}}
    spec: {containers: [{name: app, image: tcp-echo-server, args: ["9000", %(name)s], ports: [{containerPort: 9000}]}]}
"""
PEERS = """
apiVersion: v1
kind: Service
metadata: {name: peer, namespace: default}
spec: {clusterIP: None, selector: {app: peer}, publishNotReadyAddresses: %(publish)s, ports: [{name: tcp, port: 9000}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: peer, namespace: default}
spec:
  serviceName: peer
  replicas: 2
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: peer}}
  template:
    metadata: {labels: {app: peer}}
    spec:
      containers:
      - name: app
        image: tcp-echo-server
        args: ["9000", peer]
        ports: [{containerPort: 9000}]
        readinessProbe: {periodSeconds: 1, exec: {command: [sh, -c, "test $(hostname) = peer-0"]}}
"""
ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: %(name)s, namespace: default}
spec:
  hosts: ["%(host)s"]
  addresses: %(addresses)s
  location: MESH_EXTERNAL
  resolution: %(resolution)s
  endpoints: %(endpoints)s
  ports: [{number: 9000, name: tcp, protocol: TCP}]
"""
ASK = """
import json, socket, sys
from dnslib import QTYPE, RCODE, DNSRecord
name, kind, proto, server = sys.argv[1:]
record = DNSRecord.question(name, kind)
data = record.send(server, 53, tcp=proto == "tcp", timeout=6)
reply = DNSRecord.parse(data)
print(json.dumps({
    "code": RCODE[reply.header.rcode], "aa": reply.header.aa, "tc": reply.header.tc,
    "records": [[str(r.rname), QTYPE[r.rtype], r.ttl, str(r.rdata)] for r in reply.rr],
}))
"""
SAY = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as connection:
        connection.sendall(b"hello\\n")
        print(connection.makefile().readline(), end="")
except OSError as error:
    print("error", error)
"""


class Answer(NamedTuple):
    code: str
    aa: int
    tc: int
    records: list[list[Any]]

    @property
    def values(self) -> list[str]:
        return sorted(record[3] for record in self.records if record[1] in ("A", "AAAA"))

    @property
    def kinds(self) -> list[str]:
        return [record[1] for record in self.records]


class Pods:
    """The mesh, asked from its pods."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.resolver = self.run("cat", "/etc/resolv.conf").split("nameserver ")[1].split()[0]

    def run(self, *command: str, workload: str = "curl", namespace: str = "default") -> str:
        return self.mesh.exec(workload, *command, namespace=namespace).out

    def ask(
        self, name: str, kind: str = "A", proto: str = "udp", *, namespace: str = "default", server: str = ""
    ) -> Answer:
        done = self.mesh.exec(
            "curl", POD_PYTHON, "-c", ASK, name, kind, proto, server or self.resolver, namespace=namespace
        )
        assert done.code == 0, done.err
        return Answer(**json.loads(done.out))

    def say(self, host: str, port: int = 9000, namespace: str = "default") -> str:
        """The answer of a TCP server to a line, to a program that resolves the name as programs do."""
        return self.run(POD_PYTHON, "-c", SAY, host, str(port), namespace=namespace).strip()

    def until(self, name: str, wanted: Callable[[Answer], bool], kind: str = "A") -> Answer:
        return eventually(lambda: self.ask(name, kind), wanted, 20)

    def ndsz(self) -> dict[str, Any]:
        text = self.mesh.exec("curl", "curl", "-s", "localhost:15020/debug/ndsz", container="istio-proxy").out
        found: dict[str, Any] = json.loads(text)["table"]
        return found

    def service(self, name: str, namespace: str) -> str:
        return str(self.mesh.run("get", "service", name, "-n", namespace, "-o", "json").json()["spec"]["clusterIP"])


def entry(name: str, host: str, backend: str = "", addresses: str = "[]") -> str:
    endpoints = [{"address": f"{backend}.plain.svc.cluster.local"}] if backend else [{"address": "10.0.0.1"}]
    return ENTRY % {
        "name": name,
        "host": host,
        "addresses": addresses,
        "resolution": "DNS" if backend else "STATIC",
        "endpoints": json.dumps(endpoints),
    }


@pytest.fixture(scope="module")
def whole(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    mesh = Mesh(tmp_path_factory.mktemp("state"))
    texts = [MESH]
    texts += [CALLER % {"name": "curl", "namespace": n, "annotations": "{}"} for n in ("default", "other", "plain")]
    texts += [SERVER % {"name": name, "namespace": "plain", "port": "tcp"} for name in ("one", "two")]
    texts += [SERVER % {"name": "near", "namespace": "other", "port": "tcp"}]
    try:
        mesh.up([document for text in texts for document in documents_of(text)])
        yield Pods(mesh)
    finally:
        mesh.end()


@pytest.fixture
def pods(whole: Pods) -> Iterator[Pods]:
    """The mesh; what a test applies is undone after it."""
    yield whole
    whole.mesh.restore()


@pytest.mark.row("DN-01", "DN-02", "PO-08", "TC-10", "AG-11")
@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_names_of_services_are_answered_in_the_pod(pods: Pods, proto: str) -> None:
    address = pods.service("near", "other")
    found = pods.ask("Near.other.svc.cluster.local", proto=proto)
    assert (found.code, found.aa, found.values) == ("NOERROR", 1, [address])
    assert found.records[0][1:3] == ["A", 30]
    for short in ("near.other.svc", "near.other"):
        assert pods.ask(short, proto=proto).values == [address]
    alias = pods.ask("near.other.default.svc.cluster.local", proto=proto)
    assert (alias.kinds, alias.values) == (["CNAME", "A"], [address])
    assert pods.ask("near", proto=proto, namespace="other").values == [address]
    assert pods.ask("near.other", "AAAA", proto=proto) == Answer("NOERROR", 1, 0, [])
    # The cluster's own name server does not give these answers: the question never came to it.
    direct = pods.ask("near.other.svc.cluster.local", proto=proto, namespace="plain")
    assert (direct.values, direct.records[0][2]) == ([address], 5)
    assert pods.ask("near.other", proto=proto, namespace="plain").code != "NOERROR"


@pytest.mark.row("DN-03", "TC-10")
@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_other_names_go_to_the_pods_name_server(pods: Pods, proto: str) -> None:
    assert pods.ask("nobody.default.svc.cluster.local", proto=proto).code == "NXDOMAIN"
    srv = pods.ask("_tcp._tcp.near.other.svc.cluster.local", "SRV", proto=proto)
    assert (srv.kinds, srv.records[0][2]) == (["SRV"], 5)
    pod = pods.mesh.pod("near", "other")["ip"]
    assert pods.ask(f"{pod.replace('.', '-')}.other.pod.cluster.local", proto=proto).values == [pod]


@pytest.mark.row("TC-10")
def test_only_questions_to_the_pods_own_name_server_are_taken(pods: Pods) -> None:
    done = pods.mesh.exec("curl", POD_PYTHON, "-c", ASK, "near.other", "A", "tcp", "127.0.0.1")
    assert done.code != 0
    assert "refused" in done.err.lower()


@pytest.mark.row("SE-14", "DN-04")
def test_two_tcp_entries_on_one_port_do_not_take_each_others_traffic(pods: Pods) -> None:
    pods.mesh.apply(entry("one", "one.test", "one") + "---" + entry("two", "two.test", "two"))
    first = pods.until("one.test", lambda a: bool(a.values)).values
    second = pods.until("two.test", lambda a: bool(a.values)).values
    assert first != second
    assert first[0].startswith("240.240.")
    told = pods.mesh.run("get", "serviceentry", "one", "-o", "json").json()["status"]["addresses"]
    assert told == [{"value": first[0], "host": "one.test"}]
    for name in ("one", "two"):
        say, wanted = partial(pods.say, f"{name}.test"), f"{name} hello"
        assert eventually(say, wanted.__eq__, 20)


@pytest.mark.row("DN-02", "SE-02")
def test_written_addresses_of_both_families_and_wildcards(pods: Pods) -> None:
    pods.mesh.apply(
        entry("fixed", "fixed.test", addresses='[1.2.3.4, 1.2.3.5, "2001:db8::5", 10.99.0.0/16]')
        + "---"
        + entry("wild", "*.wild.test", addresses="[1.2.3.6]")
    )
    assert pods.until("fixed.test", lambda a: bool(a.values)).values == ["1.2.3.4", "1.2.3.5"]
    assert pods.ask("fixed.test", "AAAA").values == ["2001:db8::5"]
    assert pods.ask("a.b.wild.test").values == ["1.2.3.6"]
    assert pods.ask("wild.test").values == []
    assert pods.ndsz()["fixed.test"] == {"ips": ["1.2.3.4", "1.2.3.5", "2001:db8::5"], "registry": "External"}


@pytest.mark.row("DN-02", "PO-06")
def test_the_table_is_what_the_sidecar_sees_and_follows_changes(pods: Pods) -> None:
    assert "near.other.svc.cluster.local" in pods.ndsz()
    pods.mesh.apply("""
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: default}
spec: {egress: [{hosts: ["./*"]}]}
""")
    # Now the cluster's name server is asked, which knows full names alone.
    assert pods.until("near.other", lambda a: a.code != "NOERROR")
    assert "near.other.svc.cluster.local" not in pods.ndsz()
    own = pods.mesh.pod("curl")["ip"]
    outside = pods.mesh.exec(
        "curl",
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        f"http://{own}:15020/debug/ndsz",
        namespace="plain",
    )
    assert outside.out == "403"


@pytest.mark.row("OL-10", "DN-02", "OL-13")
def test_pods_of_a_stateful_set_have_names_when_ready_or_published(pods: Pods) -> None:
    pods.mesh.apply(PEERS % {"publish": "false"}, wait=False)
    names = [f"peer-{number}.peer.default.svc.cluster.local" for number in (0, 1)]
    ready = pods.until(names[0], lambda a: bool(a.values)).values
    assert ready == [pods.mesh.pod("peer-0")["ip"]]
    assert pods.ask("peer-0.peer").values == ready
    assert pods.ask("peer.default").values == ready
    assert pods.ask(names[1]).values == []
    assert eventually(lambda: pods.say("peer-0.peer"), lambda text: text == "peer hello", 20)
    pods.mesh.apply(PEERS % {"publish": "true"}, wait=False)
    both = sorted(pods.mesh.pod(f"peer-{number}")["ip"] for number in (0, 1))
    assert pods.until("peer.default", lambda a: len(a.values) == 2).values == both
    assert pods.ask(names[1]).values == [pods.mesh.pod("peer-1")["ip"]]
    assert eventually(lambda: pods.say("peer-1.peer"), lambda text: text == "peer hello", 20)


@pytest.mark.row("OL-11", "DN-02")
def test_an_external_name_leads_where_it_says(pods: Pods) -> None:
    pods.mesh.apply("""
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: near.other.svc.cluster.local}
""")
    found = pods.until("alias.default.svc.cluster.local", lambda a: bool(a.values))
    assert (found.kinds, found.values) == (["CNAME", "A"], [pods.service("near", "other")])
    assert eventually(lambda: pods.say("alias"), lambda text: text == "near hello", 20)


@pytest.mark.row("DN-03")
def test_names_outlive_the_control_plane(pods: Pods) -> None:
    address = pods.service("near", "other")
    os.kill(pods.mesh.status()["controlplane"]["pid"], signal.SIGKILL)
    for _ in range(10):
        assert pods.ask("near.other").values == [address]
    pods.mesh.apply(entry("late", "late.test", addresses="[1.2.3.9]"))
    assert pods.until("late.test", lambda a: bool(a.values)).values == ["1.2.3.9"]


@pytest.mark.row("DN-05")
def test_questions_are_counted(pods: Pods) -> None:
    def counts() -> dict[str, float]:
        text = pods.mesh.exec("curl", "curl", "-s", "localhost:15020/metrics", container="istio-proxy").out
        lines = [line.split() for line in text.splitlines() if line.startswith("istio_agent_dns_")]
        return {name: float(value) for name, value in lines}

    before = counts()
    pods.ask("near.other")
    pods.ask("nobody.default.svc.cluster.local")
    after = counts()
    assert after["istio_agent_dns_requests_total"] - before["istio_agent_dns_requests_total"] == 2
    upstream = "istio_agent_dns_upstream_requests_total"
    assert after[upstream] - before[upstream] == 1
    assert after["istio_agent_dns_upstream_request_duration_seconds_count"] >= 1
    assert after["istio_agent_dns_upstream_failures_total"] == 0


@pytest.mark.row("DN-01")
def test_an_annotation_switches_one_workload(pods: Pods) -> None:
    off = yaml.safe_dump({"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "false"}})
    pods.mesh.apply(
        CALLER
        % {"name": "uncaptured", "namespace": "default", "annotations": json.dumps({"proxy.istio.io/config": off})}
    )
    done = pods.mesh.exec("uncaptured", POD_PYTHON, "-c", ASK, "near.other", "A", "udp", pods.resolver)
    assert json.loads(done.out)["code"] != "NOERROR"
    refused = pods.mesh.exec("uncaptured", "curl", "-s", "localhost:15020/debug/ndsz", container="istio-proxy").out
    assert "ISTIO_META_DNS_CAPTURE" in json.loads(refused)["reason"]
