"""Which tools are run with what. Real namespaces: tests/e2e/test_capture.py."""

from pathlib import Path

import pytest

from mizzen.capture.apply import apply, apply_native, clean, families
from mizzen.capture.options import Options
from mizzen.errors import LabError

TOOL = """#!/bin/sh
echo "$(basename $0) $*" >> {log}
case "$0" in *-save) exit 0;; esac
case "$*" in *"-C"*|*"-D"*|*" del "*) exit 1;; esac
cat >> {log}
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for the tools, which write down what they were told."""
    log = tmp_path / "log"
    for name in ("iptables", "iptables-restore", "iptables-save", "nft", "ip"):
        tool = tmp_path / name
        tool.write_text(TOOL.format(log=log))
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return log


def test_families() -> None:
    assert families(Options()) == (4,)
    assert families(Options(ipv6=True)) == (4, 6)


@pytest.mark.row("TC-14")
def test_iptables_gets_one_text(log: Path) -> None:
    said: list[str] = []
    apply(Options(inbound_ports="*"), said.append)
    assert "rules applied" in said[-1]
    text = log.read_text()
    assert "iptables-restore --noflush --wait=30" in text
    assert "-A PREROUTING -p tcp -j ISTIO_INBOUND" in text
    assert "nft" not in text


@pytest.mark.row("TC-11")
def test_native_rules_are_one_transaction_of_nft(log: Path) -> None:
    said: list[str] = []
    options = Options(inbound_ports="*", mode="TPROXY", native_nftables=True)
    apply_native(options, said.append)
    text = log.read_text()
    assert text.count("nft -f -") == 1
    assert "ip -4 rule add fwmark 1337 lookup 133" in text
    assert "iptables" not in text
    clean(options)
    assert "delete table inet istio-proxy-mangle" in log.read_text()


def test_a_missing_tool_is_told_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_more: None)
    with pytest.raises(LabError) as error:
        apply_native(Options(native_nftables=True), lambda _text: None)
    assert "nftables" in error.value.hint


@pytest.mark.row("TC-11")
def test_the_older_iptables_can_be_forced(log: Path) -> None:
    for name in ("iptables-legacy", "iptables-legacy-restore", "iptables-legacy-save"):
        (log.parent / name).write_text(TOOL.format(log=log))
        (log.parent / name).chmod(0o755)
    apply(Options(inbound_ports="*", iptables_binary="legacy"), lambda _text: None)
    assert "iptables-legacy-restore --noflush" in log.read_text()
