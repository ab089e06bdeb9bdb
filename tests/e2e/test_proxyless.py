"""gRPC's own xDS client in a pod without a proxy, with the control plane of a real mesh."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.e2e.load import POD_PYTHON
from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually
from tests.fakes.proxyless import bootstrap

pytestmark = pytest.mark.lab

PROGRAM = Path(__file__).parents[1] / "fakes" / "proxyless.py"
TARGET = "xds:///echo.other.svc.cluster.local:8002"
BOOTSTRAP = bootstrap(
    "dns:///istiod.istio-system.svc:15012",
    "sidecar~10.0.0.1~CLIENT.plain~plain.svc.cluster.local",
    {
        "channel_creds": [{"type": "tls", "config": {"ca_certificate_file": "/etc/mesh/root-cert.pem"}}],
        "call_creds": [{"type": "jwt_token_file", "config": {"jwt_token_file": "/var/run/secrets/tokens/istio-token"}}],
    },
)
"""The node's name is put in by the pod: only the pod itself may speak for it."""

CLIENT = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: grpc-client, namespace: plain}}
data: {json.dumps({"program.py": PROGRAM.read_text(), "bootstrap.json": BOOTSTRAP})}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: grpc-client, namespace: plain}}
spec:
  selector: {{matchLabels: {{app: grpc-client}}}}
  template:
    metadata: {{labels: {{app: grpc-client}}}}
    spec:
      containers:
        - name: app
          image: none
          command: [sleep, infinity]
          volumeMounts:
            - {{name: program, mountPath: /etc/program}}
            - {{name: roots, mountPath: /etc/mesh}}
            - {{name: token, mountPath: /var/run/secrets/tokens}}
      volumes:
        - {{name: program, configMap: {{name: grpc-client}}}}
        - {{name: roots, configMap: {{name: istio-ca-root-cert}}}}
        - name: token
          projected: {{sources: [{{serviceAccountToken: {{audience: istio-ca, path: istio-token, expirationSeconds: 3600}}}}]}}
"""


def server(version: str) -> str:
    """A version of the echo program, with a sidecar."""
    return f"""
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: echo-{version}, namespace: other}}
spec:
  selector: {{matchLabels: {{app: echo, version: {version}}}}}
  template:
    metadata: {{labels: {{app: echo, version: {version}}}}}
    spec:
      containers:
        - {{name: app, image: echo, args: [--listen, "http:8002", --service, echo, --version, {version}]}}
"""


SERVERS = f"""
apiVersion: v1
kind: Service
metadata: {{name: echo, namespace: other}}
spec: {{selector: {{app: echo}}, ports: [{{name: grpc, port: 8002}}]}}
{server("v1")}{server("v2")}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: echo, namespace: other}}
spec: {{host: echo, subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]}}
"""


def split(first: int, second: int) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: echo, namespace: other}}
spec:
  hosts: [echo]
  http:
    - match: [{{headers: {{x-user: {{exact: jason}}}}}}]
      route: [{{destination: {{host: echo, subset: v2}}}}]
    - route:
        - {{destination: {{host: echo, subset: v1}}, weight: {first}}}
        - {{destination: {{host: echo, subset: v2}}, weight: {second}}}
"""


def versions(mesh: Mesh, count: int, *metadata: str) -> Counter[str]:
    """Which versions answered ``count`` calls; what is no answer counts as what it says."""
    script = (
        'sed "s/CLIENT/$(hostname)/" /etc/program/bootstrap.json > /tmp/bootstrap.json; '
        "GRPC_XDS_BOOTSTRAP=/tmp/bootstrap.json GRPC_EXPERIMENTAL_XDS_BOOTSTRAP_CALL_CREDS=true "
        f'exec {POD_PYTHON} /etc/program/program.py client "$@"'
    )
    done = mesh.exec(
        "grpc-client", "sh", "-c", script, "sh", TARGET, str(count), *metadata, namespace="plain", seconds=90
    )
    answers = []
    for line in filter(None, done.out.splitlines()):  # a message begins with the byte that is also the end of a line
        found = re.search(r'"version": ?"(v\d)"', line)
        answers.append(found[1] if found else line)
    return Counter(answers) or Counter([done.err[-2000:]])


@pytest.mark.row("XD-20", "VS-28")
def test_a_grpc_client_without_a_proxy_follows_a_split(mesh: Mesh) -> None:
    mesh.apply([*yaml.safe_load_all(CLIENT), *yaml.safe_load_all(SERVERS), *yaml.safe_load_all(split(90, 10))])
    eventually(lambda: versions(mesh, 4), lambda seen: sum(seen[v] for v in ("v1", "v2")) == 4, 40)
    seen = versions(mesh, 500)
    assert seen.keys() == {"v1", "v2"}, seen
    assert 25 <= seen["v2"] <= 80, "a tenth of 500, four standard deviations either side"
    assert versions(mesh, 20, "x-user=jason") == {"v2": 20}
    mesh.apply(split(0, 100))
    assert versions(mesh, 20) == {"v2": 20}
