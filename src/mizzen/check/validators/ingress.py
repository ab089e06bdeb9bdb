"""A Kubernetes Ingress: hosts as Kubernetes demands them, for Envoy refuses all hosts of a port for one with a line break."""

from __future__ import annotations

from mizzen.api.kubernetes import Ingress
from mizzen.check import rules
from mizzen.check.notes import Notes


def validate(body: Ingress, notes: Notes) -> None:
    for index, rule in enumerate(body.spec.rules):
        if rule.host:
            _host(rule.host, f"spec.rules[{index}].host", notes)
    for index, tls in enumerate(body.spec.tls):
        for place, host in enumerate(tls.hosts):
            _host(host, f"spec.tls[{index}].hosts[{place}]", notes)


def _host(host: str, path: str, notes: Notes) -> None:
    if notes.need(not rules.is_ip(host), path, "a host name is not an address"):
        rules.wildcard_host(notes, path, host)
