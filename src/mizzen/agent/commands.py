"""The verbs of ``pilot-agent`` that hooks and scripts use (row AG-07). Unknown flags are ignored, as Istio's does."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from mizzen import ENVOY_VERSION, VERSION
from mizzen.errors import MeshError

USAGE = "usage: pilot-agent proxy [sidecar|router] | request METHOD PATH [BODY] | wait | istio-iptables | istio-clean-iptables | machine [start|clean] [--dir DIR] | version"
REQUEST_PORTS = (15000, 15004, 15020, 15021)


def main(argv: Sequence[str]) -> int:
    """Run one verb; the answer is the exit code."""
    verb, rest = (argv[0], list(argv[1:])) if argv else ("", [])
    verbs = {"proxy": _proxy, "request": _request, "wait": _wait, "version": _version}
    verbs |= {"istio-iptables": _capture, "istio-clean-iptables": _clean, "machine": _machine}
    if verb not in verbs:
        sys.stderr.write(USAGE + "\n")
        return 2
    try:
        return verbs[verb](rest)
    except ValueError as error:
        sys.stderr.write(f"pilot-agent {verb}: {error}\n")
        return 2
    except MeshError as error:
        sys.stderr.write(f"pilot-agent {verb}: {error}\n")
        return 1


def parse(args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Positional arguments, and flags as ``name -> value``; a flag before another flag or the end is ``true``."""
    words: list[str] = []
    flags: dict[str, str] = {}
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            words.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("-") else "true"
        flags[name] = value
    return words, flags


def _proxy(args: list[str]) -> int:
    from mizzen.agent.run import run
    from mizzen.agent.settings import from_environment

    words, flags = parse(args)
    role = words[0] if words else "sidecar"
    if role not in ("sidecar", "router"):
        raise ValueError(f"{role!r} is neither sidecar nor router")
    return run(from_environment(role, flags, os.environ))


def _request(args: list[str]) -> int:
    import http.client

    words, flags = parse(args)
    if len(words) < 2:
        raise ValueError("METHOD and PATH are needed")
    port = int(flags.get("debug-port", os.environ.get("MIZZEN_ADMIN_PORT", "15000")))
    if port not in REQUEST_PORTS and "MIZZEN_ADMIN_PORT" not in os.environ:
        raise ValueError(f"--debug-port must be one of {', '.join(map(str, REQUEST_PORTS))}")
    connection = http.client.HTTPConnection("localhost", port, timeout=60)
    try:
        connection.request(words[0].upper(), "/" + words[1].lstrip("/"), body=words[2] if len(words) > 2 else None)
        answer = connection.getresponse()
        sys.stdout.buffer.write(answer.read())
        sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f"pilot-agent request: {error}\n")
        return 1
    finally:
        connection.close()
    return 0 if answer.status < 400 else 1


def _wait(args: list[str]) -> int:
    import urllib.error
    import urllib.request

    _, flags = parse(args)
    url = flags.get("url", "http://localhost:15021/healthz/ready")
    if not url.startswith("http://"):
        raise ValueError("--url must begin with http://")
    end = time.monotonic() + float(flags.get("timeoutSeconds", "60"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    reason = "no answer"
    while time.monotonic() < end:
        try:
            with opener.open(url, timeout=float(flags.get("requestTimeoutMillis", "500")) / 1000):
                return 0
        except urllib.error.HTTPError as error:
            reason = f"{error.code}: {error.read(300).decode(errors='replace').strip()}"
        except OSError as error:
            reason = str(error)
        time.sleep(float(flags.get("periodMillis", "500")) / 1000)
    sys.stderr.write(f"pilot-agent wait: not ready: {reason}\n")
    return 1


def _machine(args: list[str]) -> int:
    from mizzen.agent.machine import main as machine

    words, flags = parse(args)
    try:
        return machine(words, flags.get("dir", ""))
    except OSError as error:
        raise MeshError(f"the machine's files cannot be used: {error}") from None


def _version(_: list[str]) -> int:
    sys.stdout.write(f'version.BuildInfo{{Version:"{VERSION}", Envoy:"{ENVOY_VERSION}"}}\n')
    return 0


def _capture(args: list[str]) -> int:
    # Another program in the place of this one: it shares nothing with the agent.
    os.execv(sys.executable, [sys.executable, "-m", "mizzen.capture", *args])  # noqa: S606


def _clean(args: list[str]) -> int:
    return _capture([*args, "--cleanup-only"])
