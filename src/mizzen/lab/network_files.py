"""The files by which a pod knows its names: resolv.conf, hosts and hostname. Pure."""

from __future__ import annotations

from typing import Any

from mizzen.lab import environment

Raw = dict[str, Any]


def network_files(pod: Raw, address: str, resolver: str) -> dict[str, str]:
    """Path and text of each."""
    namespace, name = pod["metadata"]["namespace"], environment.hostname(pod)
    spec = pod["spec"]
    full = f"{name}.{spec['subdomain']}.{namespace}.svc.cluster.local\t{name}" if spec.get("subdomain") else name
    aliases = "".join(f"{a.get('ip')}\t{' '.join(a.get('hostnames') or [])}\n" for a in spec.get("hostAliases") or [])
    return {
        "/etc/resolv.conf": _resolv_conf(spec, namespace, resolver),
        "/etc/hosts": f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{address}\t{full}\n{aliases}",
        "/etc/hostname": f"{name}\n",
    }


def _resolv_conf(spec: Raw, namespace: str, resolver: str) -> str:
    """The mesh's own resolver, and with ``dnsPolicy: None`` what ``dnsConfig`` says and nothing else."""
    config = spec.get("dnsConfig") or {}
    searches, servers, options = list(config.get("searches") or []), list(config.get("nameservers") or []), []
    if spec.get("dnsPolicy") != "None":
        searches = [f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local", *searches]
        servers, options = [resolver], ["options ndots:5"]
    lines = [f"search {' '.join(searches)}"] if searches else []
    return "\n".join([*lines, *(f"nameserver {server}" for server in servers), *options, ""])
