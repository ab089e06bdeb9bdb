"""Runs one case: apply, wait for acknowledgement, call, judge, restore."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mizzen.errors import LabError
from tests.conformance import proof, steps, vocabulary
from tests.conformance.agent import Agent
from tests.conformance.fixture import Document, authorizer
from tests.conformance.judge import Seen, judge
from tests.conformance.material import Material
from tests.conformance.world import Refused, World

GATEWAY_CLIENT = proof.OBSERVER
EVENTUALLY_SECONDS = 30.0
STEP_SECONDS = 15.0
_FLUSH_SECONDS = 3.5
_MIRROR_SECONDS = 0.4


@dataclass
class Verdict:
    """``problems`` empty and ``skipped`` empty: the case holds."""

    id: str
    problems: list[str] = field(default_factory=list)
    skipped: str = ""
    seconds: float = 0.0

    def line(self) -> str:
        if self.skipped:
            return f"SKIP {self.id} {self.skipped}"
        return f"FAIL {self.id} {' | '.join(self.problems)}" if self.problems else f"ok {self.id}"


def run(case: Document, world: World, material: Material) -> Verdict:
    """Never raises for what the case or the mesh does."""
    verdict = Verdict(str(case.get("id", "?")))
    if words := vocabulary.unknown(case):
        verdict.skipped = f"unknown: {', '.join(words)}"
        return verdict
    begin = time.monotonic()
    player = Player(world, material)
    try:
        verdict.problems = player.play(case)
    except Refused as error:
        verdict.problems = [f"expected the configuration to be taken, seen {error}"]
    except (LabError, LookupError, ValueError, TypeError, AttributeError, OSError) as error:
        verdict.problems = [f"expected a case that runs, seen {type(error).__name__}: {error}"]
    finally:
        verdict.problems += player.restore()
    verdict.seconds = time.monotonic() - begin
    return verdict


class Player:
    """The state of one case while it runs."""

    def __init__(self, world: World, material: Material) -> None:
        self._world = world
        self._material = material
        self._offsets: dict[str, int] = {}
        self._before: proof.Series = {}

    def play(self, case: Document) -> list[str]:
        """The problems of a whole case."""
        world = self._world
        world.forget_keys()
        self._material.begin(alone=any("rotate_jwks" in step for step in vocabulary.as_list(case.get("then"))))
        config = [world.place(document) for document in self._material.fill(case.get("config") or [])]
        if case.get("admission") == "rejected":
            return self._rejected(config)
        self._configure(case, config)
        metric = vocabulary.as_list(case.get("metric"))
        self._offsets = proof.log_offsets(world)
        if metric:
            self._before = proof.scrape(world, {entry["name"] for entry in metric} | {_OPENED})
        problems = []
        for number, entry in enumerate(case.get("calls") or []):
            found = self._entry(entry)
            problems += [f"call {number + 1}: {text}" if len(case["calls"]) > 1 else text for text in found]
        for number, step in enumerate(case.get("then") or []):
            problems += [f"then {number + 1}: {text}" for text in self._step(self._material.fill(step), case)]
        if metric:
            problems += proof.metrics(world, metric, self._before)
        problems += proof.logs(world, vocabulary.as_list(case.get("log")), self._offsets)
        if case.get("envoy"):
            wanted = vocabulary.as_list(case["envoy"])
            problems += proof.clusters(world, _caller(case), wanted)
        return problems

    def _rejected(self, config: list[Document]) -> list[str]:
        try:
            self._world.apply(config)
        except Refused:
            return []
        return ["admission: expected rejected, seen taken"]

    def _configure(self, case: Document, config: list[Document]) -> None:
        world = self._world
        if "ext-authz server" in vocabulary.as_list(case.get("needs")):
            world.keep(authorizer())
        patch = self._material.fill(case.get("mesh") or {})
        if patch:
            config = [world.mesh(patch), *config]
        if config:
            world.apply(config)
        if "defaultConfig" in patch or any(document.get("kind") == "ProxyConfig" for document in config):
            world.restart()
        if locality := case.get("client_locality"):
            steps.relabel(world, _caller(case), {"istio-locality": str(locality).replace("/", ".")})
        world.settle()
        world.drained()

    def restore(self) -> list[str]:
        """Puts the mesh back; what went wrong with that is a problem of the case too."""
        try:
            self._world.restore()
        except (LabError, Refused, LookupError) as error:
            return [f"expected to be undone, seen {error}"]
        return []

    # Calls

    def _entry(self, entry: Document) -> list[str]:
        expect = self._material.fill(entry.get("expect") or {})
        call = self._call(entry["call"])
        later = expect.get("eventually")
        if later is not None:
            now = {name: value for name, value in expect.items() if name not in ("eventually", "tol")}
            if now:
                later = {**now, **later}
            if "tol" in expect:
                later.setdefault("tol", expect["tol"])
            return self._until(call, later, EVENTUALLY_SECONDS)
        return judge(expect, self._see(call, expect))

    def _until(self, call: Document, expect: Document, seconds: float) -> list[str]:
        deadline = time.monotonic() + seconds
        while True:
            self._world.forget_keys()
            problems = judge(expect, self._see(call, expect))
            if not problems or time.monotonic() > deadline:
                return problems
            time.sleep(0.25)

    def _call(self, asked: Document) -> Document:
        call = dict(self._material.fill(asked))
        if "tls" in call:
            call["tls"] = self._material.tls(call["tls"] if isinstance(call["tls"], dict) else {})
        if str(call.get("from")) == "gateway-client":
            call["from"] = GATEWAY_CLIENT
            address = self._world.service_address("istio-ingressgateway", "istio-system")
            if "url" in call or "grpc" in call:
                call.setdefault("connect", address)
            elif "tcp" in call:
                host, _, port = str(call["address"]).rpartition(":")
                if not _resolvable(host):
                    call["address"] = f"{address}:{port}"
        return call

    def _agent(self, call: Document) -> Agent:
        return self._world.agent(str(call["from"]))

    def _see(self, call: Document, expect: Document) -> Seen:
        world = self._world
        own_tls = str(call.get("url")).startswith("https:") and call["from"] != GATEWAY_CLIENT
        tcp_mutual = ("tcp" in call or own_tls) and "mtls" in expect
        before = proof.scrape(world, {_OPENED}) if tcp_mutual else {}
        since = world.recorded()
        offsets = proof.log_offsets(world) if "resp_flag" in expect else {}
        agent = self._agent(call)
        count = int(call.get("count") or 1)
        results = agent.result(agent.start(call), 45 + count * 1.0)
        seen = Seen(results)
        if expect.keys() & {"attempts", "attempt_pods_distinct"}:
            seen.records = world.records(since)
        if "mirrored" in expect:
            self._mirrored(seen, expect, since)
        if "resp_flag" in expect:
            seen.log = self._flagged(call, offsets, count, expect["resp_flag"])
        if tcp_mutual:
            seen.mutual = self._mutual(before)
        return seen

    def _mirrored(self, seen: Seen, expect: Document, since: int) -> None:
        """A mirrored request may outlive its original."""
        wanted = {name: expect[name] for name in ("mirrored", "tol") if name in expect}
        deadline = time.monotonic() + _FLUSH_SECONDS
        time.sleep(_MIRROR_SECONDS)
        while True:
            seen.records = self._world.records(since)
            if not judge(wanted, seen) or time.monotonic() > deadline:
                return
            time.sleep(0.1)

    def _flagged(self, call: Document, offsets: dict[str, int], count: int, wanted: Any) -> list[str]:
        from tests.conformance.judge import flags

        deadline = time.monotonic() + _FLUSH_SECONDS
        while True:
            found = proof.lines(self._world, str(call["from"]), offsets)
            told = set().union(*(flags(line) for line in found)) if found else set()
            if set(map(str, vocabulary.as_list(wanted))) <= told or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _mutual(self, before: proof.Series) -> bool | None:
        deadline = time.monotonic() + _FLUSH_SECONDS
        while time.monotonic() < deadline:
            after = proof.scrape(self._world, {_OPENED})
            base = {"name": _OPENED, "reporter": "destination"}
            if proof.grown({**base, "connection_security_policy": "mutual_tls"}, before, after):
                return True
            if proof.grown({**base, "connection_security_policy": "none"}, before, after):
                return False
            time.sleep(0.3)
        return None

    # Steps

    def _step(self, step: Document, case: Document) -> list[str]:
        calls = [entry["call"] for entry in case.get("calls") or []]
        asked, expect = step.get("call") or (calls[-1] if calls else None), step.get("expect") or {}
        judged = asked is not None and bool(step.get("call") or expect)
        if expect and not judged:
            return ["expected a call to judge, seen none"]
        if "workload_cert_ttl_s" in step:
            steps.lifetime(self._world, float(step["workload_cert_ttl_s"]))
        stop = self._background(step["during"], asked) if "during" in step else list
        try:
            problems = steps.change(self._world, self._material, step)
            if judged:
                problems += self._until(self._call(asked), expect, float(step.get("within_s", STEP_SECONDS)))
            if step.get("for_s"):
                time.sleep(float(step["for_s"]))
                problems += self._again(asked, expect) if judged and not problems else []
        finally:
            found = stop()
        return problems + found

    def _again(self, asked: Document, expect: Document) -> list[str]:
        """What held at the beginning of ``for_s`` holds at its end, too."""
        self._world.forget_keys()
        return [f"at the end: {text}" for text in judge(expect, self._see(self._call(asked), expect))]

    def _background(self, during: Document, default: Document | None) -> Callable[[], list[str]]:
        asked, expect = (during["call"], during.get("expect") or {}) if "call" in during else (default, during)
        if asked is None:
            raise ValueError("during without a call")
        call = self._call(asked)
        call.pop("count", None)
        agent = self._agent(call)
        number = agent.start(call, background=True)
        time.sleep(0.3)

        def stop() -> list[str]:
            time.sleep(0.5)
            return [f"during: {text}" for text in judge(expect, Seen(agent.stop(number)))]

        return stop


_OPENED = "istio_tcp_connections_opened_total"


def _resolvable(host: str) -> bool:
    return bool(re.fullmatch(r"[\d.]+", host)) or host.endswith((".svc", ".cluster.local"))


def _caller(case: Document) -> str:
    """The workload that makes the case's first call; for the client outside, the gateway that it calls."""
    calls = case.get("calls") or []
    return proof.proxy_of(str(calls[0]["call"].get("from")) if calls else "client.shop")
