"""Which of Envoy's own statistics exist, and how their names become labels (rows ME-15, ME-16, AN-06)."""

from __future__ import annotations

import re
from typing import Any

from mizzen.agent.settings import Settings

_PREFIXES = (
    "reporter=",
    "cluster_manager",
    "listener_manager",
    "server",
    "cluster.xds-grpc",
    "wasm",
    "component",
    "istio",
)
_SUFFIXES = ("rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied")
_REGEXPS = (r"vhost\..*\.route\..*",)
_TAGS = {
    "cluster_name": r"^cluster(\.(.+);)",
    "http_conn_manager_prefix": r"^http\.(((?:[_.[:digit:]\w]*|[_\[\]aAbBcCdDeEfF[:digit:]\w\:]*));\.)",
    "thread_name": r"^server(\.(.+))\.watchdog",
    "tcp_prefix": r"^tcp\.((.*?)\.)\w+?$",
    "response_code": r"_rq(_(\d{3}))$",
    "response_code_class": r"_rq(_(\dxx))$",
    "http_conn_manager_listener_prefix": r"^listener(?=\.).*?\.http\.(((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.)",
    "listener_address": r"^listener\.(((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.)",
    "mongo_prefix": r"^mongo\.(.+?)\.(collection|cmd|cx_|op_|delays_|decoding_)(.*?)$",
    "cache": r"(cache\.(.+?)\.)",
    "component": r"(component\.(.+?)\.)",
    "tag": r"(tag\.(.+?);\.)",
    "wasm_filter": r"(wasm_filter\.(.+?)\.)",
    "authz_enforce_result": r"rbac(\.(allowed|denied))",
    "authz_dry_run_action": r"(\.istio_dry_run_(allow|deny)_)",
    "authz_dry_run_result": r"(\.shadow_(allowed|denied))",
}


def stats_config(settings: Settings) -> dict[str, Any]:
    """Envoy's ``stats_config``."""
    suffixes = _SUFFIXES + (("downstream_cx_active",) if settings.exit_on_zero_connections else ())
    patterns: list[dict[str, Any]] = [{"prefix": text} for text in (*_PREFIXES, *_chosen(settings, "Prefixes"))]
    patterns += [{"suffix": text} for text in (*suffixes, *_chosen(settings, "Suffixes"))]
    patterns += [{"safe_regex": {"regex": text}} for text in (*_REGEXPS, *_chosen(settings, "Regexps"))]
    return {
        "use_all_default_tags": False,
        "stats_tags": [{"tag_name": name, "regex": regex} for name, regex in {**_extra(settings), **_TAGS}.items()],
        "stats_matcher": {"inclusion_list": {"patterns": patterns}},
    }


def _extra(settings: Settings) -> dict[str, str]:
    """Tags of the user, which stand in a name as ``tag=.=value;.``: ProxyConfig's and the annotation's (row PC-09)."""
    names = [str(name) for name in settings.proxy_config.get("extraStatTags") or []]
    names += settings.annotations.get("sidecar.istio.io/extraStatTags", "").split(",")
    return {name.strip(): rf"({re.escape(name.strip())}=\.=(.*?);\.)" for name in names if name.strip()}


def _chosen(settings: Settings, sort: str) -> list[str]:
    """What the user wants beside the required ones; the annotation takes the place of ProxyConfig's list."""
    annotation = settings.annotations.get(f"sidecar.istio.io/statsInclusion{sort}")
    if annotation is None:
        matcher = settings.proxy_config.get("proxyStatsMatcher") or {}
        return [str(text) for text in matcher.get(f"inclusion{sort}") or []]
    return [text.replace("{pod_ip}", settings.instance_ip) for text in annotation.split(",") if text]
