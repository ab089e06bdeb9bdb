"""Rules in a real network namespace, judged by where packets go (rows TC-01..06, 14). Needs root and iptables."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

SOURCE = str(Path(__file__).parents[2] / "src")
CAPTURE = [sys.executable, "-m", "mizzen.capture", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT"]
SIDECAR = [*CAPTURE, "-i", "*", "-x", "", "-b", "*", "-d", "15090,15021,15020"]

LISTEN = """
import os, selectors, socket, sys
selector = selectors.DefaultSelector()
for port in (15001, 15006, 8080, 15020):
    server = socket.create_server(("::" if "6" in sys.argv[1:] else "0.0.0.0", port), family=socket.AF_INET6 if "6" in sys.argv[1:] else socket.AF_INET, dualstack_ipv6="6" in sys.argv[1:])
    selector.register(server, selectors.EVENT_READ, str(port).encode())
print("up", flush=True)
while True:
    for key, _ in selector.select():
        connection, _ = key.fileobj.accept()
        connection.sendall(key.data)
        connection.close()
"""
CALL = """
import encodings.idna, os, socket, sys  # idna now: the interpreter may lie where another user cannot read
host, port, uid, source = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.setgid(uid); os.setuid(uid)
try:
    with socket.create_connection((host, port), timeout=2, source_address=(source, 0) if source else None) as s:
        print(s.recv(10).decode(), end="")
except OSError:
    print("refused", end="")
"""
APP, PROXY = 65532, 1337
POD, PEER = "10.77.0.2", "10.77.0.1"


class Pod:
    """Two namespaces with a wire between them: the pod, in which rules are made, and its peer."""

    def __init__(self) -> None:
        self.name, self.peer = f"mzcap{os.getpid()}", f"mzcap{os.getpid()}p"
        self.listener = None
        for name in (self.name, self.peer):
            self.ip("netns", "add", name)
        wire = ("link", "add", "eth0", "netns", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.peer)
        self.ip(*wire)
        for name, address in ((self.name, POD), (self.peer, PEER)):
            for words in (
                ("addr", "add", f"{address}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                self.ip("-n", name, *words)
        self.ip("-n", self.name, "route", "add", "default", "via", PEER)
        self.listener = subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, "-c", LISTEN], stdout=subprocess.PIPE
        )
        assert self.listener.stdout.readline() == b"up\n"

    @staticmethod
    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def run(self, command, where=None):
        env = {**os.environ, "PYTHONPATH": SOURCE}
        place = ["ip", "netns", "exec", where or self.name]
        return subprocess.run([*place, *command], capture_output=True, text=True, env=env, check=False)

    def capture(self, *args) -> str:
        done = self.run([*args])
        assert done.returncode == 0, done.stderr
        return done.stderr

    def call(self, host, port, uid=APP, source="", where=None) -> str:
        """The port that answered, or ``refused``."""
        return self.run([sys.executable, "-c", CALL, host, str(port), str(uid), source], where).stdout

    def rules(self) -> str:
        return "\n".join(
            line.split(" [")[0] for line in self.run(["iptables-save"]).stdout.splitlines() if line[:1] != "#"
        )

    def listen6(self) -> None:
        """Listen on both families from now on."""
        self.stop()
        self.listener = subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, "-c", LISTEN, "6"], stdout=subprocess.PIPE
        )
        assert self.listener.stdout.readline() == b"up\n"

    def stop(self) -> None:
        """End what listens."""
        if self.listener is not None:
            self.listener.kill()
            self.listener.wait()
            self.listener.stdout.close()
            self.listener = None

    def close(self) -> None:
        self.stop()
        for name in (self.name, self.peer):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.fixture
def pod():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    found = Pod()
    yield found
    found.close()


NATIVE = pytest.param("--native-nftables", marks=pytest.mark.row("TC-11"))


@pytest.mark.row("TC-01", "TC-02", "TC-03", "TC-04", "TC-05")
@pytest.mark.parametrize("flag", ["--native-nftables=false", NATIVE])
def test_where_packets_go(pod, flag):
    assert pod.call(POD, 8080, where=pod.peer) == "8080"
    pod.capture(*SIDECAR, flag)
    assert pod.call(POD, 8080, where=pod.peer) == "15006"
    assert pod.call(POD, 15020, where=pod.peer) == "15020"
    assert pod.call("10.99.0.1", 80) == "15001"
    assert pod.call("10.99.0.1", 80, uid=PROXY) == "refused"
    assert pod.call("127.0.0.1", 8080) == "8080"
    assert pod.call(POD, 8080) == "8080"
    assert pod.call(POD, 8080, uid=PROXY) == "15006"
    assert pod.call("127.0.0.1", 8080, uid=PROXY) == "8080"
    assert pod.call(POD, 8080, uid=PROXY, source="127.0.0.6") == "8080"


@pytest.mark.row("TC-06")
@pytest.mark.parametrize("flag", ["--native-nftables=false", NATIVE])
def test_excluded_and_included(pod, flag):
    ranges = ["-i", "10.98.0.0/16", "-x", "10.98.1.0/24"]
    pod.capture(*CAPTURE, *ranges, "-b", "8080", "-d", "8080", "-o", "9000", "-q", "443", flag)
    assert pod.call("10.98.0.1", 80) == "15001"
    assert pod.call("10.98.1.1", 80) == "refused"
    assert pod.call("10.98.0.1", 9000) == "refused"
    assert pod.call("10.50.0.1", 443) == "15001"
    assert pod.call("10.50.0.1", 80) == "refused"
    assert pod.call(POD, 8080, where=pod.peer) == "15006"


@pytest.mark.row("TC-14")
def test_again_changes_nothing_other_rules_need_reconcile_and_cleanup_takes_all(pod):
    before = pod.rules()
    pod.capture(*SIDECAR)
    first = pod.rules()
    assert "are in place" in pod.capture(*SIDECAR)
    assert pod.rules() == first
    other = [*CAPTURE, "-i", "10.0.0.0/8", "-b", "*"]
    assert "--reconcile" in pod.capture(*other)
    assert pod.rules() == first
    pod.capture(*other, "--reconcile")
    assert pod.rules() != first
    pod.capture(*SIDECAR, "--force-apply")
    assert pod.rules() == first
    pod.capture(*CAPTURE, "--cleanup-only")
    assert "ISTIO" not in pod.rules()
    assert pod.rules().count("\n-A") == before.count("\n-A") == 0
    pod.capture(*CAPTURE, "--cleanup-only")


@pytest.mark.row("TC-11")
@pytest.mark.parametrize("mode", ["REDIRECT", "TPROXY"])
def test_native_tables_are_replaced_as_a_whole_and_taken_away(pod, mode):
    words = [*SIDECAR, "--native-nftables", "--drop-invalid", "--redirect-dns", "--capture-all-dns", "-m", mode]
    pod.capture(*words)
    first = tables(pod)
    assert {name for name in first if name.startswith("table inet")} == {
        "table inet istio-proxy-nat {",
        "table inet istio-proxy-mangle {",
        "table inet istio-proxy-raw {",
    }
    assert any("ct state invalid" in line for line in first)
    pod.capture(*words)
    assert tables(pod) == first
    assert "ISTIO" not in pod.rules()
    pod.capture(*words, "--cleanup-only")
    assert tables(pod) == []


def tables(pod) -> list[str]:
    """Our tables without counters."""
    listed = re.sub(r"counter packets \d+ bytes \d+", "counter", pod.run(["nft", "list", "ruleset"]).stdout)
    ours = re.findall(r"^table inet istio.*?^}", listed, re.MULTILINE | re.DOTALL)
    return [line.strip() for table in ours for line in table.splitlines()]


@pytest.mark.row("TC-12")
@pytest.mark.parametrize("flag", ["--native-nftables=false", "--native-nftables"])
def test_the_validation_sees_whether_rules_are_there(pod, flag):
    command = [sys.executable, "-c", VALIDATE, *CAPTURE[3:], "--run-validation", "--skip-rule-apply"]
    pod.stop()
    without = pod.run(command)
    assert without.returncode == 126, without.stderr
    assert "was not captured" in without.stderr
    pod.capture(*SIDECAR, flag)
    done = pod.run(command)
    assert done.returncode == 0, done.stderr
    assert "capture works" in done.stderr


VALIDATE = """
import os, sys
from mizzen.capture.command import main
os.setgid(1337); os.setuid(1337)
sys.exit(main(sys.argv[1:]))
"""


POD6, PEER6 = "fd00:77::2", "fd00:77::1"


@pytest.mark.row("TC-09")
@pytest.mark.parametrize("flag", ["--native-nftables=false", "--native-nftables"])
def test_ipv6_is_captured_alike(pod, flag):
    for name, address in ((pod.name, POD6), (pod.peer, PEER6)):
        pod.ip("-n", name, "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
    pod.ip("-n", pod.name, "-6", "route", "add", "default", "via", PEER6)
    pod.listen6()
    assert pod.call(POD6, 8080, where=pod.peer) == "8080"
    if flag.endswith("false"):  # a table of nftables is for both families, as Istio's is
        assert "IPv6" not in pod.capture(*SIDECAR, flag)
        assert pod.call(POD6, 8080, where=pod.peer) == "8080"
    pod.capture(*SIDECAR, flag, "--dual-stack", "--force-apply")
    assert pod.call(POD6, 8080, where=pod.peer) == "15006"
    assert pod.call("fd00:99::1", 80) == "15001"
    assert pod.call("fd00:99::1", 80, uid=PROXY) == "refused"
    assert pod.call("::1", 8080) == "8080"
    assert pod.call(POD6, 8080, uid=PROXY, source="::6") == "8080"
    assert pod.call(POD, 8080, where=pod.peer) == "15006"
