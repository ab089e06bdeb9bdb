"""A mesh whose certificates live 30 s, under load: is a request lost, and does memory grow? Needs root.

``python -m benchmarks.rotation [--proxies 50] [--lifetime 30] [--seconds 300] [--rate 100]``. Half of the proxies are
servers, the other half clients, four of which call all the time; gateways count. A connection ends after 20 requests, so
handshakes with every certificate go on all the while. Memory is proportional set size, of when each proxy has had two
certificates against the end. Exit code 1 when a request failed, a limit is missed or too few certificates were issued.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.mesh import NAMESPACE, Measured, Mesh, memory

CALLERS = 4
GATEWAYS = 2
GROWTH = 1.1
"""Of memory; Envoys and interpreters are never quite still."""
RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: server}
spec: {host: server, trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 20}}}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: v1
kind: Service
metadata: {name: server}
spec: {selector: {app: server}, ports: [{name: http, port: 8000, targetPort: 8080}]}
"""


def workload(name: str, replicas: int, image: str, lifetime: int) -> str:
    """A Deployment whose certificates live ``lifetime`` seconds."""
    settings = json.dumps({"concurrency": 1, "proxyMetadata": {"SECRET_TTL": f"{lifetime}s"}})
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}, annotations: {{proxy.istio.io/config: '{settings}'}}}}
    spec: {{containers: [{{name: app, {image}}}]}}
"""


def callers(mesh: Mesh, seconds: float, rate: int) -> list[subprocess.Popen[str]]:
    """Programs in four client pods that call the servers for ``seconds``."""
    listed = json.loads(mesh.run("ps", "-o", "json")[1])["pods"]
    names = [pod["name"] for pod in listed if pod["name"].startswith("client")][:CALLERS]
    load = ["/opt/mizzen/bin/mizzen-python", "-m", "mizzen.samples.fortio", "load", "-c", "4", "-timeout", "10s"]
    load += ["-qps", str(rate // len(names)), "-t", f"{seconds:g}s", "-json", "-", "http://server:8000/status/200"]
    return [
        subprocess.Popen(
            mesh.command("exec", name, "--", *load), stdout=subprocess.PIPE, text=True, env=mesh.environment
        )
        for name in names
    ]


def sizes(mesh: Mesh) -> dict[str, float]:
    """Memory in MB of the control plane, of all agents and of all Envoys."""
    shown = json.loads(mesh.run("ps", "-o", "json")[1])
    found: Counter[str] = Counter({"control plane": int(memory(shown["controlplane"]["pid"]) * 1000)})
    for pod in shown["pods"]:
        for part, name in (("agent", "agents"), ("envoy", "Envoys")):
            found[name] += int(memory(pod["pids"].get(part) or 0) * 1000)
    return {name: size / 1000 for name, size in found.items()}


def issued(mesh: Mesh) -> int:
    """How many certificates the control plane has given out."""
    (socket,) = mesh.state.rglob("controlplane.sock")
    command = ["curl", "-sS", "--max-time", "10", "--unix-socket", str(socket), "http://localhost/metrics"]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"^citadel_server_success_cert_issuance_count (\S+)", done.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"no metric of the control plane: {done.stderr}{done.stdout[:500]}")
    return int(float(found[1]))


def measure(mesh: Mesh, proxies: int, lifetime: int, seconds: int, rate: int) -> Iterator[Measured]:
    """All numbers, when the load is over."""
    servers = (proxies - GATEWAYS) // 2
    clients = proxies - GATEWAYS - servers
    documents = [NAMESPACE, RULE, workload("server", servers, "image: go-httpbin", lifetime)]
    documents.append(workload("client", clients, "image: curl, command: [/bin/sleep, infinity]", lifetime))
    mesh.run("up", "--detach", "-f", "-", text="---\n".join(documents))
    early = issued(mesh)
    load = callers(mesh, seconds, rate)
    settling = max(lifetime, 10)  # half a lifetime each: two certificates
    time.sleep(settling)
    before = sizes(mesh)
    print(f"{proxies} proxies, certificates of {lifetime} s, {seconds} s; at the begin {told(before)}", flush=True)
    time.sleep(max(0, seconds - settling - 2))
    after = sizes(mesh)
    made = issued(mesh) - early
    print(f"at the end {told(after)}; {made} certificates issued", flush=True)
    codes: Counter[str] = Counter()
    for caller in load:
        out, _ = caller.communicate(timeout=60)
        codes.update(json.loads(out.strip().splitlines()[-1])["RetCodes"])
    print(f"answers {dict(codes)}", flush=True)
    good = codes.pop("200", 0)
    yield Measured("requests that failed", sum(codes.values()), 0, "")
    yield Measured("requests asked for, of those answered with 200", 0.8 * rate * seconds / max(good, 1), 1, "x")
    # A fifth less than one for each half of a lifetime: renewals wait for a processor, too.
    expected = 0.8 * (proxies - GATEWAYS) * seconds / (lifetime / 2)
    yield Measured("certificates due, of those issued", expected / max(made, 1), 1, "x")
    for name, size in after.items():
        yield Measured(f"memory of {name}, end to begin", size / max(before[name], 0.001), GROWTH, "x")


def told(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {size:.0f} MB" for name, size in found.items())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for option, default in (("--proxies", 50), ("--lifetime", 30), ("--seconds", 300), ("--rate", 100)):
        parser.add_argument(option, type=int, default=default)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as state:
        mesh = Mesh(f"rotation{Path(state).name[-4:].lower().replace('_', 'x')}", state)
        try:
            found = list(measure(mesh, chosen.proxies, chosen.lifetime, chosen.seconds, chosen.rate))
        finally:
            mesh.run("down", "--purge")
    for each in found:
        print(each.line(), flush=True)
    return int(any(not each.good for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
