"""Row TC-15: Istio's flags and variables."""

import pytest

from mizzen.capture.command import main, read

INJECTED = [
    "-p",
    "15001",
    "-z",
    "15006",
    "-u",
    "1337",
    "-m",
    "REDIRECT",
    "-i",
    "*",
    "-x",
    "",
    "-b",
    "*",
    "-d",
    "15090,15021,15020",
    "--log_output_level=default:info",
]


def options(args=(), env=None, tmp_path=None):
    return read(list(args), env or {}, tmp_path / "resolv.conf", tmp_path)[0]


@pytest.mark.row("TC-15")
def test_what_injection_writes(tmp_path):
    found, _, unknown = read(INJECTED, {}, tmp_path / "resolv.conf", tmp_path)
    assert (found.outbound_ranges, found.outbound_ranges_exclude, found.inbound_ports) == ("*", "", "*")
    assert found.inbound_ports_exclude == "15090,15021,15020"
    assert found.gids == ("1337",)
    assert unknown == ["--log_output_level=default:info"]


@pytest.mark.row("TC-15")
def test_a_flag_beats_its_variable(tmp_path):
    env = {"INBOUND_CAPTURE_PORT": "1", "ENVOY_PORT": "2", "INVALID_DROP": "true"}
    found = options(["-z", "3"], env, tmp_path)
    assert (found.inbound_port, found.outbound_port, found.drop_invalid) == ("3", "2", True)


@pytest.mark.row("TC-09", "TC-10")
def test_families_and_name_servers(tmp_path):
    (tmp_path / "resolv.conf").write_text("search x\nnameserver 10.0.0.10\nnameserver fd00::10\n")
    (tmp_path / "if_inet6").write_text("fd00000000000000000000000000000a 02 40 00 80     eth0\n")
    found = options(["--redirect-dns"], tmp_path=tmp_path)
    assert (found.dns_servers, found.dns_servers_v6, found.ipv6) == (("10.0.0.10",), ("fd00::10",), True)
    (tmp_path / "route").write_text("Iface\neth0 0 0\n")
    assert not options([], tmp_path=tmp_path).ipv6
    assert options(["--dual-stack"], tmp_path=tmp_path).ipv6


@pytest.mark.parametrize(
    ("args", "text"),
    [(["-p", "http"], "not a port"), (["-i", "10.0.0.0/99"], "address range"), (["-m", "MAGIC"], "neither")],
)
def test_bad_values_are_usage_errors(args, text, capsys):
    assert main(args) == 2
    assert text in capsys.readouterr().err


@pytest.mark.row("TC-15")
def test_dry_run_prints_and_does_nothing(capsys):
    assert main([*INJECTED, "--dry-run"]) == 0
    assert "-A ISTIO_INBOUND -p tcp --dport 15020 -j RETURN" in capsys.readouterr().out


def test_no_iptables_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("mizzen.capture.apply.shutil.which", lambda *_, **__: None)
    assert main(INJECTED) == 1
    assert "apt-get install iptables" in capsys.readouterr().err


@pytest.mark.row("TC-15")
def test_every_flag_of_istio_is_understood_and_each_has_its_variable(tmp_path):
    short = "-p 1 -z 2 -e 3 -u 4 -g 5 -m TPROXY -i 10.0.0.0/8 -x 10.1.0.0/16 -b 80 -d 81 -o 82 -q 83 -c eth9 -k v0 -t 6 -r 7 -n"
    long = ["--redirect-dns", "--capture-all-dns", "--drop-invalid", "--dual-stack", "--native-nftables"]
    long += ["--run-validation", "--skip-rule-apply", "--cni-mode", "--force-iptables-binary", "legacy"]
    found, flags, unknown = read([*short.split(), *long], {}, tmp_path / "resolv.conf", tmp_path)
    assert unknown == []
    env = {
        "ENVOY_PORT": "1",
        "INBOUND_CAPTURE_PORT": "2",
        "INBOUND_TUNNEL_PORT": "3",
        "PROXY_UID": "4",
        "PROXY_GID": "5",
        "ISTIO_INBOUND_INTERCEPTION_MODE": "TPROXY",
        "ISTIO_SERVICE_CIDR": "10.0.0.0/8",
        "ISTIO_SERVICE_EXCLUDE_CIDR": "10.1.0.0/16",
        "ISTIO_INBOUND_PORTS": "80",
        "ISTIO_LOCAL_EXCLUDE_PORTS": "81",
        "ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE": "82",
        "ISTIO_OUTBOUND_PORTS": "83",
        "ISTIO_EXCLUDE_INTERFACES": "eth9",
        "KUBE_VIRT_INTERFACES": "v0",
        "ISTIO_INBOUND_TPROXY_MARK": "6",
        "ISTIO_INBOUND_TPROXY_ROUTE_TABLE": "7",
        "DRY_RUN": "true",
        "ISTIO_META_DNS_CAPTURE": "true",
        "CAPTURE_ALL_DNS": "true",
        "INVALID_DROP": "true",
        "ISTIO_DUAL_STACK": "true",
        "NATIVE_NFTABLES": "true",
        "RUN_VALIDATION": "true",
        "SKIP_RULE_APPLY": "true",
        "CNI_MODE": "true",
        "FORCE_IPTABLES_BINARY": "legacy",
    }
    by_variable, more, _ = read([], env, tmp_path / "resolv.conf", tmp_path)
    assert (by_variable, vars(more)) == (found, vars(flags))
    assert (found.mode, found.inbound_ports, found.tproxy_mark, found.iptables_binary) == (
        "TPROXY",
        "80",
        "6",
        "legacy",
    )
    assert options([], {"ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR": "127.0.0.0/8"}, tmp_path).loopback == "127.0.0.0/8"


@pytest.mark.row("TC-11")
def test_a_dry_run_shows_the_native_text(capsys):
    assert main(["--dry-run", "--native-nftables", "-b", "*", "-i", "*"]) == 0
    assert "add chain inet istio-proxy-nat istio-redirect" in capsys.readouterr().out
