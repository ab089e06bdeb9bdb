"""Istio's ``istio-iptables`` with its flags, each also an environment variable (row TC-15)."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mizzen.capture import nft
from mizzen.capture.apply import apply, apply_native, clean, families
from mizzen.capture.options import Options
from mizzen.capture.rules import restore, rules
from mizzen.capture.validation import FAILED, validate
from mizzen.capture.variant import detect
from mizzen.errors import LabError

_TEXT = {
    "outbound_port": ("-p", "--envoy-port", "ENVOY_PORT"),
    "inbound_port": ("-z", "--inbound-capture-port", "INBOUND_CAPTURE_PORT"),
    "tunnel_port": ("-e", "--inbound-tunnel-port", "INBOUND_TUNNEL_PORT"),
    "proxy_uid": ("-u", "--proxy-uid", "PROXY_UID"),
    "proxy_gid": ("-g", "--proxy-gid", "PROXY_GID"),
    "mode": ("-m", "--istio-inbound-interception-mode", "ISTIO_INBOUND_INTERCEPTION_MODE"),
    "inbound_ports": ("-b", "--istio-inbound-ports", "ISTIO_INBOUND_PORTS"),
    "inbound_ports_exclude": ("-d", "--istio-local-exclude-ports", "ISTIO_LOCAL_EXCLUDE_PORTS"),
    "exclude_interfaces": ("-c", "--istio-exclude-interfaces", "ISTIO_EXCLUDE_INTERFACES"),
    "outbound_ranges": ("-i", "--istio-service-cidr", "ISTIO_SERVICE_CIDR"),
    "outbound_ranges_exclude": ("-x", "--istio-service-exclude-cidr", "ISTIO_SERVICE_EXCLUDE_CIDR"),
    "outbound_ports": ("-q", "--istio-outbound-ports", "ISTIO_OUTBOUND_PORTS"),
    "outbound_ports_exclude": ("-o", "--istio-local-outbound-ports-exclude", "ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE"),
    "reroute_interfaces": ("-k", "--kube-virt-interfaces", "KUBE_VIRT_INTERFACES"),
    "tproxy_mark": ("-t", "--istio-inbound-tproxy-mark", "ISTIO_INBOUND_TPROXY_MARK"),
    "iptables_binary": ("", "--force-iptables-binary", "FORCE_IPTABLES_BINARY"),
    "tproxy_table": ("-r", "--istio-inbound-tproxy-route-table", "ISTIO_INBOUND_TPROXY_ROUTE_TABLE"),
}
_SWITCHES = {
    "dry_run": ("-n", "--dry-run", "DRY_RUN"),
    "redirect_dns": ("", "--redirect-dns", "ISTIO_META_DNS_CAPTURE"),
    "capture_all_dns": ("", "--capture-all-dns", "CAPTURE_ALL_DNS"),
    "drop_invalid": ("", "--drop-invalid", "INVALID_DROP"),
    "dual_stack": ("", "--dual-stack", "ISTIO_DUAL_STACK"),
    "skip_rule_apply": ("", "--skip-rule-apply", "SKIP_RULE_APPLY"),
    "run_validation": ("", "--run-validation", "RUN_VALIDATION"),
    "cleanup_only": ("", "--cleanup-only", "CLEANUP_ONLY"),
    "force_apply": ("", "--force-apply", "FORCE_APPLY"),
    "reconcile": ("", "--reconcile", "RECONCILE"),
    "native_nftables": ("", "--native-nftables", "NATIVE_NFTABLES"),
    "cni_mode": ("", "--cni-mode", "CNI_MODE"),
}
_PORTS = ("outbound_port", "inbound_port", "tunnel_port")


def parser(env: Mapping[str, str]) -> argparse.ArgumentParser:
    """The flags; the environment gives their defaults."""
    found = argparse.ArgumentParser(
        "istio-iptables", allow_abbrev=False, description="capture this pod's traffic for its proxy"
    )
    defaults = Options()
    for name, (short, long, variable) in _TEXT.items():
        found.add_argument(*filter(None, (short, long)), dest=name, default=env.get(variable, getattr(defaults, name)))
    for name, (short, long, variable) in _SWITCHES.items():
        flags = [flag for flag in (short, long) if flag]
        default = env.get(variable, "").lower() == "true"
        found.add_argument(*flags, dest=name, nargs="?", const=True, default=default, type=_boolean)
    return found


def read(
    args: Sequence[str], env: Mapping[str, str], resolv_conf: Path, net: Path
) -> tuple[Options, argparse.Namespace, list[str]]:
    """Options, all flags, and the words that were not understood. Raises ValueError when a value is wrong."""
    flags, unknown = parser(env).parse_known_args(args)
    chosen = {name: getattr(flags, name) for name in _TEXT}
    for name in _PORTS:
        if not chosen[name].isdigit():
            raise ValueError(f"{_TEXT[name][1]}: {chosen[name]!r} is not a port")
    if chosen["mode"] not in ("REDIRECT", "TPROXY"):
        raise ValueError(f"{_TEXT['mode'][1]}: {chosen['mode']!r} is neither REDIRECT nor TPROXY")
    if chosen["iptables_binary"] not in ("", "legacy", "nft"):
        raise ValueError(f"{_TEXT['iptables_binary'][1]}: {chosen['iptables_binary']!r} is neither legacy nor nft")
    for name in ("outbound_ranges", "outbound_ranges_exclude"):
        _check_ranges(_TEXT[name][1], chosen[name])
    servers = _name_servers(resolv_conf) if flags.redirect_dns else []
    options = Options(
        **chosen,
        owner_groups=env.get("ISTIO_OUTBOUND_OWNER_GROUPS", "*"),
        owner_groups_exclude=env.get("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", ""),
        loopback=env.get("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", "127.0.0.1/32"),
        redirect_dns=flags.redirect_dns,
        capture_all_dns=flags.capture_all_dns,
        dns_servers=tuple(s for s in servers if ":" not in s),
        dns_servers_v6=tuple(s for s in servers if ":" in s),
        drop_invalid=flags.drop_invalid,
        native_nftables=flags.native_nftables,
        ipv6=_global_ipv6(net) and (flags.dual_stack or not _ipv4(net)),
    )
    return options, flags, unknown


def main(args: Sequence[str]) -> int:
    """Run; the answer is the exit code."""
    try:
        options, flags, unknown = read(args, os.environ, Path("/etc/resolv.conf"), Path("/proc/net"))
        # Log flags of Istio's own binaries are understood by ignoring them.
        for word in unknown:
            if not word.startswith("--log_"):
                _say(f"ignored: {word}")
        return _act(options, flags)
    except LabError as error:
        _say(f"error: {error}" + (f"; {error.hint}" if error.hint else ""))
        return 1
    except ValueError as error:
        _say(f"error: {error}")
        return 2


def _act(options: Options, flags: argparse.Namespace) -> int:
    if flags.dry_run:
        sys.stdout.write(_text(options))
    elif flags.cleanup_only:
        clean(_with_variant(options))
    elif flags.skip_rule_apply:
        _say("rules are not applied (--skip-rule-apply)")
    elif options.native_nftables:
        apply_native(options, _say)
    else:
        apply(_with_variant(options), _say, force=flags.force_apply, reconcile=flags.reconcile)
    return _validated(options) if flags.run_validation and not flags.dry_run else 0


def _with_variant(options: Options) -> Options:
    """With the kind of iptables that is there, unless one is forced or none is needed."""
    if options.native_nftables or options.iptables_binary:
        return options
    return replace(options, iptables_binary=detect())


def _text(options: Options) -> str:
    if options.native_nftables:
        return nft.script(options)
    return "".join(restore(rules(options, version)) for version in families(options))


def _validated(options: Options) -> int:
    try:
        for version in families(options):
            validate((int(options.outbound_port), int(options.inbound_port)), version)
    except LabError as error:
        _say(f"error: {error}; {error.hint}")
        return FAILED
    _say("capture works")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"istio-iptables: {text}\n")


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _check_ranges(flag: str, text: str) -> None:
    for part in () if text.strip() == "*" else text.split(","):
        try:
            if part.strip():
                ipaddress.ip_network(part.strip(), strict=False)
        except ValueError:
            raise ValueError(f"{flag}: {part!r} is not an address range such as 10.0.0.0/8") from None


def _name_servers(path: Path) -> list[str]:
    words = [line.split() for line in _lines(path)]
    return [pair[1].partition("%")[0] for pair in words if len(pair) > 1 and pair[0] == "nameserver"]


def _global_ipv6(net: Path) -> bool:
    """Whether the namespace has an IPv6 address that is not its link's or loopback's."""
    lines = [line.split() for line in _lines(net / "if_inet6")]
    return any(len(fields) > 5 and fields[3] == "00" and fields[5] != "lo" for fields in lines)


def _ipv4(net: Path) -> bool:
    """Whether it has IPv4 routes at all; then that is its first family (row TC-09)."""
    return len(_lines(net / "route")) > 1


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
