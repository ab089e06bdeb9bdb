"""Request tokens whose keys the control plane fetches inside the mesh, and an external authorizer in a pod."""

import base64
import json
import time
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
HEADERS = "http://httpbin.default:8000/headers"
ISSUER = "https://issuer"


class Issuer:
    """httpbin serves its key set: it answers with whatever the path says."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        text = json.dumps({"keys": [{**public, "kid": "k"}]})
        self.uri = f"http://httpbin.default:8000/base64/{base64.urlsafe_b64encode(text.encode()).decode()}"

    def token(self, **claims: Any) -> tuple[str, str]:
        body = {"iss": ISSUER, "sub": "u1", "exp": int(time.time()) + 600, **claims}
        signed = pyjwt.encode(body, self._key, algorithm="ES256", headers={"kid": "k"})
        return "-H", f"authorization: Bearer {signed}"


def tokens(uri: str) -> str:
    return f"""
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: tokens}}
spec:
  selector: {{matchLabels: {{app: httpbin}}}}
  jwtRules: [{{issuer: "{ISSUER}", jwksUri: "{uri}"}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: tokens}}
spec:
  selector: {{matchLabels: {{app: httpbin}}}}
  rules: [{{to: [{{operation: {{paths: ["/base64/*"]}}}}]}}, {{from: [{{source: {{requestPrincipals: ["{ISSUER}/u1"]}}}}]}}]
"""


@pytest.mark.row("RA-01", "RA-02", "RA-05", "AP-14")
def test_the_control_plane_fetches_the_keys_and_only_good_tokens_pass(mesh: Mesh) -> None:
    issuer, thief = Issuer(), Issuer()
    mesh.apply(tokens(issuer.uri))
    # Before the policy is in force everybody passes, so it is a request without a token that tells.
    eventually(lambda: mesh.curl(HEADERS).code, lambda code: code == 403)
    eventually(lambda: mesh.curl(HEADERS, *issuer.token()).code, lambda code: code == 200)
    assert mesh.curl(HEADERS, *issuer.token(sub="u2")).code == 403
    assert mesh.curl(HEADERS, *thief.token()).code == 401
    assert mesh.curl(HEADERS, *issuer.token(exp=int(time.time()) - 100)).code == 401


@pytest.mark.row("RA-05")
def test_keys_that_cannot_be_fetched_refuse_that_issuers_tokens_alone(mesh: Mesh) -> None:
    issuer = Issuer()
    mesh.apply(tokens("http://httpbin.default:8000/status/404").partition("---")[0])
    eventually(lambda: mesh.curl(HEADERS, *issuer.token()).code, lambda code: code == 401)
    eventually(lambda: mesh.curl(HEADERS).code, lambda code: code == 200)


AUTHORIZER = """
apiVersion: v1
kind: Service
metadata: {name: authz}
spec:
  selector: {app: authz}
  ports: [{name: http, port: 8000}, {name: grpc, port: 9000}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: authz}
spec:
  selector: {matchLabels: {app: authz}}
  template:
    metadata: {labels: {app: authz}}
    spec: {containers: [{name: authz, image: ext-authz, ports: [{containerPort: 8000}, {containerPort: 9000}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    extensionProviders:
    - name: by-http
      envoyExtAuthzHttp: {service: authz.default.svc.cluster.local, port: 8000, timeout: 5s,
        includeRequestHeadersInCheck: [x-ext-authz], headersToDownstreamOnDeny: [x-ext-authz-check-result]}
    - name: by-grpc
      envoyExtAuthzGrpc: {service: authz.default.svc.cluster.local, port: 9000, timeout: 5s}
"""


def custom(provider: str) -> str:
    return f"""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: ask}}
spec:
  selector: {{matchLabels: {{app: httpbin}}}}
  action: CUSTOM
  provider: {{name: {provider}}}
  rules: [{{to: [{{operation: {{paths: ["/headers"]}}}}]}}]
"""


@pytest.mark.row("AP-06", "AP-27")
@pytest.mark.parametrize("provider", ["by-http", "by-grpc", "nobody"])
def test_an_external_authorizer_decides_and_one_that_does_not_exist_denies(mesh: Mesh, provider: str) -> None:
    mesh.apply(AUTHORIZER + "---" + custom(provider))
    eventually(lambda: mesh.curl(HEADERS).code, lambda code: code == 403, 20)
    with_header = ("-H", "x-ext-authz: allow")
    wanted = 403 if provider == "nobody" else 200
    eventually(lambda: mesh.curl(HEADERS, *with_header).code, lambda code: code == wanted, 20)
    eventually(lambda: mesh.curl(HEADERS).code, lambda code: code == 403, 20)
    assert mesh.curl("http://httpbin.default:8000/get").code == 200, "what no rule selects goes on"
