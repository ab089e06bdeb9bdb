"""What a case says of metrics, access logs and Envoy's own configuration."""

import json
import re
import time
from typing import Any

from tests.conformance.fixture import Document
from tests.conformance.meaning import complete, within
from tests.conformance.vocabulary import as_list
from tests.conformance.world import World, has_proxy

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
_LINE = re.compile(r"^(\w+)\{(.*)\} (\S+)(?: \d+)?$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_PATIENCE = 8.0
_FLUSH = 1.3
"""Envoys of the lab write their logs every second."""
OBSERVER = "gateway-client.outside"
"""The workload that asks for metrics: any address is open to it."""


def parse(text: str, names: set[str]) -> Series:
    """The series with these names of a Prometheus text."""
    found: Series = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[1] in names:
            found[(match[1], frozenset(_LABEL.findall(match[2])))] = float(match[3])
    return found


def scrape(world: World, names: set[str]) -> Series:
    """These series, added up over the merged endpoints of every proxy."""
    pods = [pod for pod in world.pods() if has_proxy(pod)]
    agent = world.agent(OBSERVER)
    calls = [{"url": f"http://{pod['status']['podIP']}:15020/stats/prometheus", "timeout": 5} for pod in pods]
    numbers = [agent.start(call) for call in calls]
    total: Series = {}
    for number in numbers:
        (result,) = agent.result(number, 15)
        for key, value in parse(result.get("body", ""), names).items():
            total[key] = total.get(key, 0) + value
    return total


def grown(wanted: Document, before: Series, after: Series) -> float:
    """By how much the best series that matches ``wanted`` grew."""
    name, absent = wanted["name"], set(wanted.get("absent") or ())
    labels = {(k, str(v)) for k, v in wanted.items() if k not in ("name", "absent", "at_least")}
    best = 0.0
    for key, value in after.items():
        has = {label for label, _ in key[1]}
        if key[0] == name and labels <= key[1] and not absent & has:
            best = max(best, value - before.get(key, 0))
    return best


def metrics(world: World, wanted: list[Document], before: Series) -> list[str]:
    """What did not grow enough within a few seconds."""
    deadline = time.monotonic() + _PATIENCE
    names = {entry["name"] for entry in wanted}
    while True:
        after = scrape(world, names)
        short = [e for e in wanted if grown(e, before, after) < float(e.get("at_least", 1))]
        if not short or time.monotonic() > deadline:
            return [f"metric: expected {json.dumps(e)}, seen {_nearest(e, before, after)}" for e in short]
        time.sleep(0.5)


def _nearest(wanted: Document, before: Series, after: Series) -> str:
    grew = [(key, value - before.get(key, 0)) for key, value in after.items() if value > before.get(key, 0)]
    grew = [(key, by) for key, by in grew if key[0] == wanted["name"]]
    if not grew:
        return "no series of that name grew"
    labels = {(k, str(v)) for k, v in wanted.items() if k not in ("name", "absent", "at_least")}
    key, by = max(grew, key=lambda item: len(labels & item[0][1]))
    wrong = {k: dict(key[1]).get(k) for k, v in labels if (k, v) not in key[1]}
    return f"a series that grew by {by:g} and differs in {wrong}"


def logs(world: World, wanted: list[Document], offsets: dict[str, int]) -> list[str]:
    """What the access logs lack, or have too much, within the seconds that Envoy takes to write them."""
    problems = []
    for entry in wanted:
        deadline = time.monotonic() + _PATIENCE
        has, lacks = as_list(entry.get("has")), as_list(entry.get("lacks"))
        while True:
            text = "\n".join(lines(world, entry["from"], offsets))
            missing = [part for part in has if part not in text]
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.3)
        if not has or lacks:  # what must not come needs its time to come
            time.sleep(_FLUSH)
            text = "\n".join(lines(world, entry["from"], offsets))
        problems += [f"log of {entry['from']}: expected {part!r}, seen {text[-300:]!r}" for part in missing]
        problems += [
            f"log of {entry['from']}: expected without {p!r}, seen {text[-300:]!r}" for p in lacks if p in text
        ]
    return problems


def log_offsets(world: World) -> dict[str, int]:
    """How long every proxy's log is now, by pod."""
    found = {}
    for pod in world.pods():
        path = world.log_path(pod)
        if path.exists():
            found[pod["metadata"]["uid"]] = path.stat().st_size
    return found


def proxy_of(caller: str) -> str:
    """The workload whose proxy a caller's requests meet first: for the client outside, the ingress gateway."""
    return "ingressgateway.istio-system" if caller in ("gateway-client", OBSERVER) else caller


def lines(world: World, workload: str, offsets: dict[str, int]) -> list[str]:
    """What the proxies of a workload wrote since."""
    found: list[str] = []
    for pod in world.pods_of(proxy_of(workload)):
        path = world.log_path(pod)
        if path.exists():
            with path.open(errors="replace") as file:
                file.seek(offsets.get(pod["metadata"]["uid"], 0))
                found += file.read().splitlines()
    return found


def clusters(world: World, workload: str, wanted: list[Document]) -> list[str]:
    """What the caller's Envoy holds differently."""
    pod = world.pods_of(workload)[0]["metadata"]
    dump = json.loads(world.client.envoy(pod["namespace"], pod["name"], "/config_dump"))
    found = {}
    for section in dump.get("configs", []):
        for kind in ("dynamic_active_clusters", "static_clusters", "dynamic_warming_clusters"):
            for item in section.get(kind, []):
                found[item["cluster"]["name"]] = item["cluster"]
    problems = []
    for entry in wanted:
        fields = {name: value for name, value in entry.items() if name != "cluster"}
        cluster = found.get(entry["cluster"])
        if cluster is None:
            problems.append(f"envoy: expected cluster {entry['cluster']}, seen none of that name")
            continue
        cluster = complete(cluster)
        for name, value in fields.items():
            if not within({name: value}, cluster):
                problems.append(f"envoy: expected {name} {json.dumps(value)}, seen {json.dumps(_get(cluster, name))}")
    return problems


def _get(cluster: Document, name: str) -> Any:
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), name)
    return cluster.get(snake, cluster.get(name))
