"""Our own surfaces, as an attacker finds them: files of the mesh, the control plane's ports, what is shown of secrets."""

import base64
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.cli.proxyconfig.dump import Dump
from mizzen.lab.client import LabClient, UnixApi
from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
ISTIOD = "http://istiod.istio-system.svc.cluster.local"
NOBODY = 65534


def others_may(path: Path) -> bool:
    return bool(stat.S_IMODE(path.lstat().st_mode) & 0o077)


def test_private_keys_of_a_mesh_are_for_its_owner(mesh: Mesh) -> None:
    """Whoever is not root reaches none of them: neither the file nor a directory on the way is open to others."""
    state = mesh.state / mesh.name
    assert not stat.S_IMODE(state.stat().st_mode) & 0o022
    keys = []
    for directory, _, names in os.walk(state):
        for name in names:
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink() and b"PRIVATE KEY" in path.read_bytes()[:1_000_000]:
                keys.append(path)
    assert keys, "there is a CA at least"
    assert [path for path in keys if stat.S_IMODE(path.stat().st_mode) & 0o007] == []


def test_sockets_of_a_mesh_are_for_its_owner(mesh: Mesh) -> None:
    sockets = [
        Path(directory, name)
        for directory, _, names in os.walk(mesh.state / mesh.name)
        for name in names
        if stat.S_ISSOCK(Path(directory, name).lstat().st_mode)
    ]
    assert {path.name for path in sockets} >= {"sock", "controlplane.sock"}
    assert [path for path in sockets if others_may(path)] == []


def test_no_pod_sees_the_state_of_the_mesh(mesh: Mesh) -> None:
    done = mesh.exec("curl", "ls", str(mesh.state / mesh.name))
    assert done.code != 0 or done.out.strip() == ""
    for name in ("run/sock", "run/controlplane.sock"):
        assert mesh.exec("curl", "test", "-e", str(mesh.state / mesh.name / name)).code != 0


@pytest.mark.row("DBG-02")
def test_the_control_plane_shows_itself_to_who_proves_an_identity(mesh: Mesh) -> None:
    port = 15014
    for path in ("/debug/configz", "/debug/syncz", "/debug/registryz", "/debug/endpointz"):
        reply = mesh.curl(f"{ISTIOD}:{port}{path}", workload="curl", namespace="plain")
        assert (reply.code, reply.body.strip()) == (401, "authentication failed"), path
    assert mesh.curl(f"{ISTIOD}:{port}/v1/resources?proxy=x", namespace="plain").code in (401, 404)
    assert mesh.curl(f"{ISTIOD}:{port}/ready", namespace="plain").code == 200
    token = "$(cat /var/run/secrets/tokens/istio-token)"
    script = f"curl -s -o /dev/null -w '%{{http_code}}' -H \"authorization: Bearer {token}\" {ISTIOD}:{port}/debug/"
    for page, code in (("configz", "403"), ("syncz", "403"), ("config_dump?proxyID=$HOSTNAME.default", "200")):
        found = mesh.exec("curl", "sh", "-c", f'{script}"{page}"', container="istio-proxy").out
        assert found.strip() == code, f"{page}: of the whole mesh nothing, of its own proxies what each is sent"


@pytest.mark.row("PO-12")
@pytest.mark.parametrize("port", [15010, 15000, 9876])
def test_ports_that_are_for_the_control_plane_itself_are_closed_to_pods(mesh: Mesh, port: int) -> None:
    assert mesh.curl(f"{ISTIOD}:{port}/", "--connect-timeout", "3", namespace="plain").code == 0


@pytest.mark.row("PO-01")
def test_the_admin_port_of_a_proxy_is_for_its_own_pod(mesh: Mesh) -> None:
    address = mesh.pod("httpbin")["ip"]
    for port in (15000, 15004):
        url = f"http://{address}:{port}/config_dump"
        assert "configs" not in mesh.curl(url, "--connect-timeout", "3", namespace="plain").body


def test_what_a_secret_holds_is_shown_only_on_request(mesh: Mesh) -> None:
    """Not by get, not by proxy-config, not in logs of any part, not on the debug pages."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    encoded = base64.b64encode(pem.encode()).decode()
    certificate = base64.b64encode(b"no certificate").decode()
    mesh.apply(
        f"""
apiVersion: v1
kind: Secret
metadata: {{name: shown, namespace: istio-system}}
type: kubernetes.io/tls
data: {{tls.crt: {certificate}, tls.key: {encoded}}}
"""
    )
    signs = [pem.splitlines()[1], encoded[60:120]]
    mesh.run("apply", "-f", "-", text="apiVersion: v1\nkind: Secret\nmetadata: {name: shown}\ndata: 7\n", expect=1)
    shown = {
        "get": mesh.run("get", "secret", "shown", "-n", "istio-system", "-o", "yaml").out,
        "get all": mesh.run("get", "secret", "-A", "-o", "json").out,
        "proxy-config": mesh.run(
            "proxy-config", "all", "deploy/istio-ingressgateway", "-n", "istio-system", "-o", "json"
        ).out,
        "secrets": mesh.run(
            "proxy-config", "secrets", "deploy/istio-ingressgateway", "-n", "istio-system", "-o", "json"
        ).out,
        "gateway": mesh.logs("istio-ingressgateway", "istio-system"),
        "supervisor and control plane": "".join(
            path.read_text(errors="replace") for path in mesh.state.glob("**/*log*") if path.is_file()
        ),
    }
    for where, text in shown.items():
        assert not [sign for sign in signs if sign in text], where
    asked = mesh.run("get", "secret", "shown", "-n", "istio-system", "-o", "yaml", "--show-secrets").out
    assert encoded[:40] in asked.replace("\n", "").replace(" ", "")


def test_another_user_may_not_command_the_mesh(mesh: Mesh) -> None:
    for name in ("sock", "controlplane.sock"):
        socket = mesh.state / mesh.name / "run" / name
        assert socket.is_socket()
        command = ["curl", "-s", "--unix-socket", str(socket), "http://mesh/v1/objects"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        done = subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, check=False)
        assert done.returncode != 0
        assert done.stdout == b""


def test_honest_traffic_goes_on(mesh: Mesh) -> None:
    eventually(lambda: mesh.curl("http://httpbin:8000/get").code, lambda code: code == 200)


@pytest.mark.row("DBG-06")
def test_a_config_dump_of_the_control_plane_is_what_the_proxy_has(mesh: Mesh) -> None:
    pod = mesh.pod("httpbin")["name"]
    state = mesh.state / mesh.name
    dumped = UnixApi(state / "run" / "controlplane.sock").json(
        "GET", "/debug/config_dump", {"proxyID": f"{pod}.default", "include_eds": ""}
    )
    ought, holds = Dump(dumped), Dump(json.loads(LabClient(state).envoy("default", pod, "/config_dump")))
    static = {entry["cluster"]["name"] for entry in holds.part("ClustersConfigDump")["static_clusters"]}
    assert {each["name"] for each in ought.clusters()} == {each["name"] for each in holds.clusters()} - static
    assert {each["name"] for each in ought.listeners()} <= {each["name"] for each in holds.listeners()}
    assert "virtualInbound" in {each["name"] for each in ought.listeners()}
    assert ought.part("EndpointsConfigDump")["dynamic_endpoint_configs"]
