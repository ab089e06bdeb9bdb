"""A plugged-in CA: workloads show its intermediate, and its root is exchanged under load."""

import base64
import re
import time
from collections.abc import Callable

import pytest

from tests.e2e.mesh import MANIFESTS, Mesh, documents_of
from tests.e2e.waiting import eventually
from tests.fakes.authorities import Ca, files

pytestmark = pytest.mark.lab
URL = "http://httpbin:8000/get"
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""


def secret(contents: dict[str, str]) -> list[dict[str, object]]:
    data = {name: base64.b64encode(text.encode()).decode() for name, text in contents.items()}
    meta = {"name": "cacerts", "namespace": "istio-system"}
    return [{"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data}]


@pytest.mark.row("CR-02", "CR-03")
def test_no_request_fails_while_the_root_is_exchanged(new_mesh: Callable[[], Mesh]) -> None:
    one, two = Ca("root-one"), Ca("root-two")
    below_one, below_two = Ca("between-one", one), Ca("between-two", two)
    workloads = [*documents_of(MANIFESTS / "httpbin.yaml"), *documents_of(MANIFESTS / "curl.yaml")]
    mesh = new_mesh()
    mesh.environment["DEFAULT_WORKLOAD_CERT_TTL"] = "20s"
    for document in workloads:
        if document["kind"] == "Deployment":
            template = document["spec"]["template"]["metadata"]
            template.setdefault("annotations", {})["proxy.istio.io/config"] = '{"proxyMetadata": {"SECRET_TTL": "20s"}}'
    meta = {"name": "default", "labels": {"istio-injection": "enabled"}}
    injected = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    mesh.up([injected, *secret(files(below_one, one)), *documents_of(STRICT), *workloads])

    eventually(lambda: mesh.curl(URL).code, lambda status: status == 200, 20)
    with mesh.load(URL) as load:
        mesh.apply(secret(files(below_one, one, [one, two])), wait=False)
        time.sleep(6)  # every agent has seen its file
        mesh.apply(secret(files(below_two, two, [one, two])), wait=False)
        time.sleep(14)  # more than half a certificate's life
        mesh.apply(secret(files(below_two, two)), wait=False)
        time.sleep(6)
    load.assert_no_failure()
    for name in ("curl", "httpbin"):
        secrets = mesh.exec(name, "sh", "-c", "cat /etc/istio/proxy/sds/*.json", container="istio-proxy").out
        inline = dict(re.findall(r'"(certificate_chain|trusted_ca)": {"inline_bytes": "([^"]+)"', secrets))
        chain, roots = (base64.b64decode(inline[of]).decode() for of in ("certificate_chain", "trusted_ca"))
        assert roots.strip() == two.pem.strip()
        assert below_two.pem.strip() in chain
