"""What the start of a machine makes of its files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from mizzen.agent import commands, machine
from mizzen.agent.machine import BadMachine, Files, environment, install, missing_hosts, proxy_config, variables
from mizzen.agent.settings import from_environment

CLUSTER = """
# a remark
ISTIO_INBOUND_PORTS='*'
export ISTIO_NAMESPACE=vms
SERVICE_ACCOUNT=db  # the group's
ISTIO_META_NETWORK=''
ISTIO_METAJSON_LABELS='{"app":"db"}'
"""
MESH = """
defaultConfig:
  readinessProbe: {httpGet: {port: 80}}
  proxyMetadata: {ISTIO_META_WORKLOAD_NAME: db, SERVICE_ACCOUNT: weaker}
"""


def directory(path: Path, **texts: str) -> Files:
    for name, text in {"cluster.env": CLUSTER, "mesh.yaml": MESH, **texts}.items():
        (path / name).write_text(text)
    return Files(path)


@pytest.mark.row("VM-01", "VM-02")
def test_the_environment_of_the_agent(tmp_path: Path) -> None:
    files = directory(tmp_path)
    env = environment(
        files, {"PATH": "/bin", "SERVICE_ACCOUNT": "of the shell"}, "vm-1.example.org", lambda: "192.0.2.4"
    )
    assert env["ISTIO_INBOUND_PORTS"] == "*"
    assert env["SERVICE_ACCOUNT"] == "db"
    assert env["ISTIO_META_WORKLOAD_NAME"] == "db"
    assert (env["POD_NAME"], env["POD_NAMESPACE"], env["INSTANCE_IP"]) == ("vm-1", "vms", "192.0.2.4")
    assert (env["PROV_CERT"], env["OUTPUT_CERTS"]) == ("/etc/certs", "/etc/certs")
    settings = from_environment("sidecar", {}, env)
    assert settings.node_id == "sidecar~192.0.2.4~vm-1.vms~vms.svc.cluster.local"
    assert settings.labels == {"app": "db"}
    assert "app" not in settings.node_metadata
    assert settings.proxy_config["readinessProbe"] == {"httpGet": {"port": 80}}
    assert (settings.proved_path, settings.output_path) == (Path("/etc/certs"), Path("/etc/certs"))


def no_route() -> str:
    raise BadMachine("no route")


@pytest.mark.row("VM-02")
def test_stronger_and_weaker_sources(tmp_path: Path) -> None:
    sidecar = "ISTIO_SVC_IP=192.0.2.9\nPOD_NAME=mine\nISTIO_NAMESPACE=weaker\n"
    files = directory(tmp_path, **{"sidecar.env": sidecar, "mesh.yaml": ""})
    env = environment(files, {}, "host", no_route)
    assert (env["INSTANCE_IP"], env["POD_NAME"], env["POD_NAMESPACE"]) == ("192.0.2.9", "mine", "vms")
    assert json.loads(env["PROXY_CONFIG"]) == {}
    assert Files().path("mesh.yaml") == Path("/etc/istio/config/mesh")
    assert Files().path("cluster.env") == Path("/var/lib/istio/envoy/cluster.env")


@pytest.mark.parametrize("text", ["A B=1", "=1", "1A=1", "A='x", "A=1 B=2"])
def test_lines_that_are_no_assignments(text: str) -> None:
    with pytest.raises(BadMachine, match=r"cluster\.env:2"):
        variables(f"GOOD=1\n{text}", "cluster.env")


@pytest.mark.parametrize("text", ["a: [", "[1]", "defaultConfig: x", "defaultConfig: {proxyMetadata: [1]}"])
def test_a_mesh_file_that_is_none(text: str) -> None:
    with pytest.raises(BadMachine, match=r"mesh\.yaml"):
        proxy_config(text)


@pytest.mark.row("VM-01")
def test_only_names_that_are_missing_are_added_to_hosts() -> None:
    wanted = "192.0.2.1 istiod.istio-system.svc\n"
    assert missing_hosts(wanted, "127.0.0.1 localhost # istiod.istio-system.svc\n") == wanted
    assert missing_hosts(wanted, "192.0.2.2\tistiod.istio-system.svc\n") == ""
    assert missing_hosts("", "") == ""


@pytest.mark.row("VM-05")
def test_token_and_root_become_the_agents_and_later_ones_replace_them(tmp_path: Path) -> None:
    source, target = tmp_path / "files", tmp_path / "machine"
    source.mkdir()
    (source / "istio-token").write_text("token-1")
    (source / "root-cert.pem").write_text("root-1")
    env = {
        "OUTPUT_CERTS": str(target / "certs"),
        "MIZZEN_CONFIG_PATH": str(target / "proxy"),
        "MIZZEN_TOKEN_PATH": str(target / "token"),
    }
    owner = (os.getuid(), os.getgid())
    install(Files(source), env, owner)
    root = target / "certs" / "root-cert.pem"
    assert env["MIZZEN_ROOT_CERT"] == str(root)
    assert ((target / "token").read_text(), root.read_text()) == ("token-1", "root-1")
    assert stat.S_IMODE((target / "token").stat().st_mode) == 0o600
    root.write_text("roots of a renewal")  # the agent's own, later than what was brought
    install(Files(source), env, owner)
    assert root.read_text() == "roots of a renewal"
    (source / "istio-token").write_text("token-2")
    later = (target / "token").stat().st_mtime + 10
    os.utime(source / "istio-token", (later, later))
    install(Files(source), env, owner)
    assert (target / "token").read_text() == "token-2"


def test_whom_the_agent_runs_as() -> None:
    assert machine.account({"EXEC_USER": "root"}) == (0, 0)
    assert machine.account({"ISTIO_INBOUND_INTERCEPTION_MODE": "TPROXY"}) == (0, 0)
    assert machine.account({})[0] != 0
    with pytest.raises(BadMachine, match="no-such-user"):
        machine.account({"EXEC_USER": "no-such-user"})


@pytest.mark.row("VM-02")
def test_rules_that_stay_are_told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOY_PORT", "none")  # what capture refuses before it touches anything
    assert commands.main(["machine", "clean"]) == 1
    assert "may still be captured: istio-clean-iptables ended with 2" in capfd.readouterr().err


@pytest.mark.row("VM-02")
def test_rules_that_are_not_whole_are_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def fake(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[3:])
        return subprocess.CompletedProcess(command, 0 if command[3:] else 1)

    monkeypatch.setattr(subprocess, "run", fake)
    with pytest.raises(BadMachine, match="istio-iptables ended with 1"):
        machine.capture({})
    assert ran == [["--cleanup-only"], [], ["--cleanup-only"]]


def test_files_that_cannot_be_written_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied", "/etc/certs")

    monkeypatch.setattr(machine, "main", refuse)
    assert commands.main(["machine"]) == 1
    assert "Permission denied: '/etc/certs'" in capsys.readouterr().err


@pytest.mark.row("VM-02")
@pytest.mark.parametrize("custom", [False, True])
def test_it_sets_the_rules_unless_the_user_does_and_becomes_the_agent_without_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, custom: bool
) -> None:
    done: list[object] = []
    text = CLUSTER + ("ISTIO_CUSTOM_IP_TABLES=true\n" if custom else "") + "ISTIO_SVC_IP=192.0.2.4\n"
    directory(tmp_path, **{"cluster.env": text})
    for name in ("setgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda value, name=name: done.append((name, value)))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "execve", lambda _, command, env: done.append((command[2:], env["POD_NAMESPACE"])))
    monkeypatch.setattr(machine, "account", lambda _: (1337, 1338))
    monkeypatch.setattr(machine, "_know_control_plane", lambda _: None)
    monkeypatch.setattr(machine, "install", lambda *_: done.append("files"))
    monkeypatch.setattr(machine, "capture", lambda env: done.append(("rules", env["PROXY_UID"])))
    machine.main(["start"], str(tmp_path))
    agent = ["mizzen.agent", "proxy", "sidecar", "--domain", "vms.svc.cluster.local"]
    rules = [] if custom else [("rules", "1337")]
    assert done == ["files", *rules, ("setgroups", []), ("setgid", 1338), ("setuid", 1337), (agent, "vms")]


def test_what_is_missing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["machine", "dance"]) == 2
    assert "neither start nor clean" in capsys.readouterr().err
    assert commands.main(["machine", "--dir", str(tmp_path)]) == 1
    assert "cluster.env is not there" in capsys.readouterr().err or os.geteuid() != 0
