"""Load balancing: algorithm, hashing, warm-up, locality. Rows DR-12 to DR-22."""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.api.destination_rule import (
    ConsistentHashLB,
    Distribute,
    Failover,
    LoadBalancerSettings,
    LocalityLoadBalancerSetting,
    WarmupConfiguration,
    ZoneAwareLbSetting,
)
from mizzen.check import codes, rules
from mizzen.check.notes import Notes

MAX_TABLE = 5_000_011
MAX_RING = 8_388_608
_WARM = (None, "UNSPECIFIED", "ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN")
_LOCALITY_LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


def validate(lb: LoadBalancerSettings, path: str, notes: Notes, outlier: bool) -> None:
    if lb.simple == "LEAST_CONN":
        notes.warn(f"{path}.simple", "LEAST_CONN is the old name of LEAST_REQUEST", codes.DEPRECATED)
    if lb.backend_utilization is not None:
        notes.warn(f"{path}.backendUtilization", "has no effect: endpoints are chosen by LEAST_REQUEST")
    if lb.consistent_hash is not None:
        _hash(lb.consistent_hash, f"{path}.consistentHash", notes)
    if lb.warmup is not None or lb.warmup_duration_secs is not None:
        balanced = lb.simple in _WARM and lb.consistent_hash is None
        notes.need(balanced, path, "warm-up goes with ROUND_ROBIN and LEAST_REQUEST only")
        rules.duration(notes, f"{path}.warmupDurationSecs", lb.warmup_duration_secs)
    if lb.warmup is not None:
        _warmup(lb.warmup, f"{path}.warmup", notes)
    if lb.locality_lb_setting is not None and lb.zone_aware_lb_setting is not None:
        notes.error(path, "only one of localityLbSetting and zoneAwareLbSetting may be set")
    if lb.locality_lb_setting is not None:
        locality(lb.locality_lb_setting, f"{path}.localityLbSetting", notes, outlier)
    if lb.zone_aware_lb_setting is not None:
        zone_aware(lb.zone_aware_lb_setting, f"{path}.zoneAwareLbSetting", notes)


def _hash(hashing: ConsistentHashLB, path: str, notes: Notes) -> None:
    keys = (hashing.http_header_name, hashing.http_cookie, hashing.use_source_ip, hashing.http_query_parameter_name)
    notes.need(
        any(key is not None for key in keys),
        path,
        "what to hash is required: a header, cookie, parameter or the source",
    )
    if hashing.http_header_name is not None:
        rules.header_name(notes, f"{path}.httpHeaderName", hashing.http_header_name)
    if hashing.http_query_parameter_name is not None:
        notes.need(bool(hashing.http_query_parameter_name), f"{path}.httpQueryParameterName", "a name is required")
    if hashing.http_cookie is not None:
        notes.need(bool(hashing.http_cookie.name), f"{path}.httpCookie.name", "a cookie needs a name")
        attributes = [attribute.name for attribute in hashing.http_cookie.attributes]
        rules.unique(notes, f"{path}.httpCookie.attributes", attributes, "names of attributes must differ")
        for index, attribute in enumerate(hashing.http_cookie.attributes):
            where = f"{path}.httpCookie.attributes[{index}]"
            notes.need(bool(attribute.name), where, "an attribute needs a name")
            rules.one_line(notes, where, attribute.name, attribute.value)
        if hashing.http_cookie.ttl is not None:
            notes.need(hashing.http_cookie.ttl.nanos >= 0, f"{path}.httpCookie.ttl", "0s or more")
    for name, ring in (
        ("minimumRingSize", hashing.minimum_ring_size),
        ("ringHash.minimumRingSize", hashing.ring_hash.minimum_ring_size if hashing.ring_hash else 0),
    ):
        notes.need(ring <= MAX_RING, f"{path}.{name}", f"at most {MAX_RING}, Envoy's largest ring")
    if hashing.minimum_ring_size:
        notes.warn(
            f"{path}.minimumRingSize", "minimumRingSize is old; write ringHash.minimumRingSize", codes.DEPRECATED
        )
        alone = hashing.ring_hash is None and hashing.maglev is None
        notes.need(alone, f"{path}.minimumRingSize", "does not go with ringHash or maglev")
    if hashing.maglev is not None:
        size = hashing.maglev.table_size
        where = f"{path}.maglev.tableSize"
        if notes.need(bool(size), where, "a table size is required"):
            notes.need(2 <= size < MAX_TABLE and _prime(size), where, f"a prime number below {MAX_TABLE}")


def _prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def _warmup(warmup: WarmupConfiguration, path: str, notes: Notes) -> None:
    notes.need(warmup.duration is not None, f"{path}.duration", "a duration is required")
    rules.duration(notes, f"{path}.duration", warmup.duration)
    if warmup.minimum_percent is not None:
        notes.need(0 <= warmup.minimum_percent <= 100, f"{path}.minimumPercent", "from 0 to 100")
    if warmup.aggression is not None:
        notes.need(warmup.aggression >= 1, f"{path}.aggression", "1 or more")


def locality(setting: LocalityLoadBalancerSetting, path: str, notes: Notes, outlier: bool) -> None:
    """Rows DR-17 to DR-19. ``outlier``: whether outlier detection, which failover needs, is there."""
    if setting.distribute and setting.failover:
        notes.error(path, "only one of distribute and failover may be set")
    if setting.distribute and setting.failover_priority:
        notes.warn(f"{path}.failoverPriority", "has no effect beside distribute")
    sources: list[str] = []
    for index, rule in enumerate(setting.distribute):
        where = f"{path}.distribute[{index}]"
        _distribute(rule, where, notes)
        _overlap([rule.from_], sources, f"{where}.from", notes)
        _overlap(list(rule.to), [], f"{where}.to", notes)
        sources.append(rule.from_)
    _failovers(setting.failover, f"{path}.failover", notes)
    if setting.failover and any(label.partition("=")[0] in _LOCALITY_LABELS for label in setting.failover_priority):
        notes.error(f"{path}.failoverPriority", "locality labels do not go with failover")
    if (setting.failover or setting.failover_priority) and not outlier:
        notes.warn(path, "failover acts only together with outlierDetection")


def zone_aware(setting: ZoneAwareLbSetting, path: str, notes: Notes) -> None:
    """Row DR-21."""
    notes.warn(path, "prefers the client's region; zones are used alike, for proxies do not discover their own service")
    _failovers(setting.failover, f"{path}.failover", notes)
    for index, label in enumerate(setting.failover_priority):
        allowed = label.partition("=")[0] not in _LOCALITY_LABELS
        notes.need(allowed, f"{path}.failoverPriority[{index}]", "region, zone and subzone are compared anyway")


def _distribute(rule: Distribute, path: str, notes: Notes) -> None:
    for where, pattern in ((f"{path}.from", rule.from_), *((f"{path}.to", to) for to in rule.to)):
        _pattern(pattern, where, notes)
    for to, weight in rule.to.items():
        notes.need(1 <= weight <= 100, f'{path}.to["{to}"]', "a weight from 1 to 100")
    total = sum(rule.to.values())
    notes.need(total == 100, f"{path}.to", f"the weights sum to {total}, not to 100")


def _pattern(pattern: str, path: str, notes: Notes) -> None:
    parts = pattern.split("/")
    ok = bool(pattern) and len(parts) <= 3 and all(parts) and all("*" not in part for part in parts[:-1])
    notes.need(
        ok and (parts[-1] == "*" or "*" not in parts[-1]),
        path,
        f"{pattern!r} is no locality: region/zone/subzone, '*' at the end",
    )


def _overlap(patterns: Sequence[str], others: Sequence[str], path: str, notes: Notes) -> None:
    seen = list(others)
    for pattern in patterns:
        for other in seen:
            if _covers(pattern, other) or _covers(other, pattern):
                notes.error(path, f"{pattern!r} and {other!r} overlap")
        seen.append(pattern)


def _covers(wide: str, narrow: str) -> bool:
    wide_parts, narrow_parts = wide.removesuffix("*").rstrip("/").split("/"), narrow.split("/")
    return wide_parts == [""] or narrow_parts[: len(wide_parts)] == wide_parts


def _failovers(failover: Sequence[Failover], path: str, notes: Notes) -> None:
    for index, rule in enumerate(failover):
        where = f"{path}[{index}]"
        notes.need(rule.from_ != rule.to, where, "a region cannot fail over to itself")
        for name, region in (("from", rule.from_), ("to", rule.to)):
            plain = "/" not in region and "*" not in region
            notes.need(plain, f"{where}.{name}", f"{region!r} is no region: no zones and no '*' here")
