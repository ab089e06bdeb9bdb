"""``pilot-agent machine``: what Istio's start script does on a machine outside any cluster (row VM-02).

Reads the files that ``workload entry configure`` wrote, makes the control plane's name known, captures the machine's traffic,
and becomes the agent, no longer as root. Runs before the long-lived process, in whose place it ends.
"""

from __future__ import annotations

import json
import os
import pwd
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizzen.errors import MeshError

ACCOUNT, UID = "istio-proxy", 1337
CERTIFICATES = "/etc/certs"
_INSTALLED = {
    "sidecar.env": "/var/lib/istio/envoy",
    "cluster.env": "/var/lib/istio/envoy",
    "mesh.yaml": "/etc/istio/config",
    "root-cert.pem": "/etc/certs",
    "istio-token": "/var/run/secrets/tokens",
}
"""Where Istio's guide has people put the files."""
_SOMEWHERE = ("192.0.2.1", 9)
"""An address for examples (RFC 5737): asked for a route, never sent to."""


class BadMachine(MeshError):
    """The machine, or its files, cannot be used; the text says which."""


@dataclass(frozen=True)
class Files:
    """``directory``: all of them lie there; None: each where Istio's guide has it."""

    directory: Path | None = None

    def path(self, name: str) -> Path:
        """Where one of them is."""
        if self.directory is not None:
            return self.directory / name
        # Istio's guide installs mesh.yaml under the name "mesh".
        return Path(_INSTALLED[name]) / ("mesh" if name == "mesh.yaml" else name)

    def text(self, name: str) -> str:
        """Empty when it is not there."""
        try:
            return self.path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise BadMachine(f"{self.path(name)} cannot be read: {error}") from None


def variables(text: str, name: str) -> dict[str, str]:
    """A file of shell assignments. Raises BadMachine with the line of one that is none."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line.removeprefix("export "), comments=True)
        except ValueError as error:
            raise BadMachine(f"{name}:{number}: {error}") from None
        if not words:
            continue
        key, equals, value = words[0].partition("=")
        if len(words) > 1 or not equals or not key.isidentifier():
            raise BadMachine(f"{name}:{number}: not NAME=VALUE")
        found[key] = value
    return found


def proxy_config(text: str) -> dict[str, Any]:
    """``defaultConfig`` of mesh.yaml. Raises BadMachine."""
    # Late: this process becomes the agent, which has no need of it.
    import yaml

    try:
        document = yaml.safe_load(text) or {}
        found = document.get("defaultConfig") or {}
    except (yaml.YAMLError, AttributeError) as error:
        raise BadMachine(f"mesh.yaml: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("proxyMetadata") or {}, dict):
        raise BadMachine("mesh.yaml: defaultConfig is no map")
    return found


def environment(files: Files, given: Mapping[str, str], hostname: str, address: Callable[[], str]) -> dict[str, str]:
    """The agent's environment: ``given``, over it sidecar.env, then cluster.env; mesh.yaml fills in. Raises BadMachine."""
    config = proxy_config(files.text("mesh.yaml"))
    metadata = {str(key): str(value) for key, value in (config.get("proxyMetadata") or {}).items()}
    env = {**metadata, **given}
    for name in ("sidecar.env", "cluster.env"):
        env |= variables(files.text(name), name)
    env["PROXY_CONFIG"] = json.dumps(config)
    namespace = env.get("POD_NAMESPACE") or env.get("ISTIO_NAMESPACE") or "default"
    env["POD_NAMESPACE"] = namespace
    env.setdefault("POD_NAME", hostname.partition(".")[0])
    env["INSTANCE_IP"] = env.get("ISTIO_SVC_IP") or env.get("INSTANCE_IP") or address()
    env.setdefault("PROV_CERT", CERTIFICATES)
    env.setdefault("OUTPUT_CERTS", CERTIFICATES)
    return env


def missing_hosts(wanted: str, present: str) -> str:
    """The lines of ``wanted`` whose names /etc/hosts does not have yet."""
    known = {name for line in present.splitlines() for name in line.partition("#")[0].split()[1:]}
    lines = [line for line in wanted.splitlines() if line.split()[1:] and not set(line.split()[1:]) <= known]
    return "".join(f"{line}\n" for line in lines)


def own_address() -> str:
    """The address that the machine's default route begins with. Raises BadMachine when there is no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError as error:
            raise BadMachine(f"this machine has no route: {error}; say its address with ISTIO_SVC_IP") from None
        return str(probe.getsockname()[0])


def capture(env: Mapping[str, str], *, clean: bool = False) -> None:
    """Set the rules, after taking older ones away, or only take them away. Raises BadMachine."""
    program = [sys.executable, "-m", "mizzen.capture"]
    remove = [*program, "--cleanup-only"]
    code = subprocess.run(remove, env=env, check=False).returncode
    if clean:
        if code != 0:
            raise BadMachine(f"the machine's traffic may still be captured: istio-clean-iptables ended with {code}")
        return
    if (code := subprocess.run(program, env=env, check=False).returncode) != 0:
        # Half of them would send the machine's traffic to an agent that does not start.
        subprocess.run(remove, env=env, check=False)
        raise BadMachine(f"the machine's traffic cannot be captured: istio-iptables ended with {code}")


def install(files: Files, env: dict[str, str], owner: tuple[int, int]) -> None:
    """Token and root where the agent, who is not root, can read them, and directories that it can write to. Raises OSError."""
    certificates, state = (
        Path(env["OUTPUT_CERTS"] or CERTIFICATES),
        Path(env.get("MIZZEN_CONFIG_PATH", "/etc/istio/proxy")),
    )
    token = Path(env.setdefault("MIZZEN_TOKEN_PATH", "/var/run/secrets/tokens/istio-token"))
    # The same file that each renewal writes: a machine hears of new roots in no other way.
    root = Path(env.setdefault("MIZZEN_ROOT_CERT", str(certificates / "root-cert.pem")))
    for directory in (certificates, state):
        directory.mkdir(parents=True, exist_ok=True)
        os.chown(directory, *owner)
    for name, target in (("istio-token", token), ("root-cert.pem", root)):
        source = files.path(name)
        if source != target and _newer(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f".{target.name}.new")
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(source.read_bytes())
            fresh.replace(target)
        if target.is_file():
            os.chown(target, *owner)


def _newer(source: Path, target: Path) -> bool:
    """Whether a file was brought later than what the agent has, and perhaps wrote, since."""
    return source.is_file() and (not target.is_file() or source.stat().st_mtime > target.stat().st_mtime)


def account(env: Mapping[str, str]) -> tuple[int, int]:
    """Whom the agent runs as: EXEC_USER, else istio-proxy, else 1337; root for TPROXY."""
    name = env.get("EXEC_USER") or ("root" if env.get("ISTIO_INBOUND_INTERCEPTION_MODE") == "TPROXY" else ACCOUNT)
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        if name != ACCOUNT:
            raise BadMachine(f"there is no user {name!r} on this machine (EXEC_USER)") from None
        return UID, UID
    return found.pw_uid, found.pw_gid


def main(words: Sequence[str], directory: str) -> int:
    """``clean``, or start: then it does not return but becomes the agent. Raises BadMachine, OSError."""
    if list(words) not in ([], ["start"], ["clean"]):
        raise ValueError(f"{' '.join(words)!r} is neither start nor clean")
    if list(words) == ["clean"]:
        capture(os.environ, clean=True)
        return 0
    if os.geteuid() != 0:
        raise BadMachine("capturing a machine's traffic needs root")
    files = Files(Path(directory) if directory else None)
    if not files.text("cluster.env"):
        raise BadMachine(f"{files.path('cluster.env')} is not there; `mizzen x workload entry configure` makes it")
    env = environment(files, os.environ, socket.gethostname(), own_address)
    _know_control_plane(files)
    owner = account(env)
    install(files, env, owner)
    if env.get("ISTIO_CUSTOM_IP_TABLES", "").lower() != "true":
        env["PROXY_UID"] = str(owner[0])
        capture(env)
    domain = f"{env['POD_NAMESPACE']}.svc.{env.get('CLUSTER_DOMAIN') or 'cluster.local'}"
    os.setgroups([])
    os.setgid(owner[1])
    os.setuid(owner[0])
    command = [sys.executable, "-m", "mizzen.agent", "proxy", "sidecar", "--domain", domain]
    os.execve(sys.executable, command, env)  # noqa: S606 - another program in the place of this one


def _know_control_plane(files: Files) -> None:
    hosts = Path("/etc/hosts")
    lines = missing_hosts(files.text("hosts") if files.directory is not None else "", _text(hosts))
    if lines:
        with hosts.open("a", encoding="utf-8") as file:
            file.write(lines)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
