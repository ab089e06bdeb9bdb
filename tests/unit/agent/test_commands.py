"""Row AG-07: the verbs."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from mizzen.agent.commands import main, parse


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            good = self.path == "/healthz/ready"
            self.send_response(200 if good else 404)
            self.end_headers()
            self.wfile.write(b"hello" if good else b"nothing here")

        def log_message(self, *_):
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found.server_address[1]
    found.shutdown()
    thread.join()
    found.server_close()


def test_flags_with_and_without_equals():
    assert parse(["sidecar", "--domain", "x", "--log=y", "--quiet", "--last"]) == (
        ["sidecar"],
        {"domain": "x", "log": "y", "quiet": "true", "last": "true"},
    )


@pytest.mark.row("AG-07")
def test_request_prints_the_body(server, capfdbinary, monkeypatch):
    monkeypatch.setenv("MIZZEN_ADMIN_PORT", str(server))
    assert main(["request", "GET", "/healthz/ready"]) == 0
    assert capfdbinary.readouterr().out == b"hello"
    assert main(["request", "GET", "other"]) == 1


@pytest.mark.row("AG-07")
def test_request_refuses_other_ports(capsys):
    assert main(["request", "--debug-port=22", "GET", "/"]) == 2
    assert "15020" in capsys.readouterr().err


@pytest.mark.row("AG-07")
def test_wait(server, capsys):
    flags = ["--timeoutSeconds", "0.3", "--periodMillis", "50", "--unknown-flag=1"]
    assert main(["wait", "--url", f"http://127.0.0.1:{server}/healthz/ready", *flags]) == 0
    assert main(["wait", "--url", f"http://127.0.0.1:{server}/no", *flags]) == 1
    assert "404: nothing here" in capsys.readouterr().err


def test_no_verb_is_usage(capsys):
    assert main([]) == 2
    assert "istio-iptables" in capsys.readouterr().err


@pytest.mark.row("AG-07")
def test_istio_iptables_runs_the_capture_program():
    done = subprocess.run(
        [sys.executable, "-m", "mizzen.agent", "istio-iptables", "--dry-run", "-b", "*"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert "ISTIO_INBOUND" in done.stdout


def test_the_long_lived_process_imports_only_the_standard_library():
    code = "import mizzen.agent.run, mizzen.agent.commands, sys; print('\\n'.join(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.split(".")[0] == "mizzen"}
    assert {name.split(".")[1] for name in ours if "." in name} == {"agent", "errors"}
    outside = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"mizzen"}
    assert not {name for name in outside if not name.startswith(("_", "sitecustomize"))}
    assert "ssl" not in loaded
