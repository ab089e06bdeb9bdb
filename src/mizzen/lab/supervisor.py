"""The supervisor of one mesh: ties store, controllers, pods, network, DNS, control plane and API under one TaskGroup."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from mizzen.errors import LabError
from mizzen.lab import builtin, cgroups, cleanup, commands, images, notice, services, settings, vip
from mizzen.lab.admission import Admission
from mizzen.lab.control import Controllers
from mizzen.lab.controlplane import ControlPlane
from mizzen.lab.dns import Server
from mizzen.lab.forks import Forks
from mizzen.lab.forward import Forwarder
from mizzen.lab.gateways import GatewayController, options_of
from mizzen.lab.network import Addresses, Network
from mizzen.lab.pod import Machine, RunningPod
from mizzen.lab.store import Store, timestamp
from mizzen.lab.tokens import Tokens
from mizzen.model.access import AuthorizationMode

Raw = dict[str, Any]
log = logging.getLogger("mizzen.lab")
_PARALLEL_STARTS = 4
_TOKEN_REFRESH_SECONDS = 3600.0
_TRUST_FILES = ("root-cert.pem", "ca-crl.pem")
_ROOT_SECONDS = 1.0


class Supervisor:
    """One mesh. :meth:`run` returns after :meth:`down`."""

    def __init__(
        self, mesh: str, state: Path, settings: Raw, authorization: AuthorizationMode = AuthorizationMode.ALWAYS_ALLOW
    ) -> None:
        self.mesh = mesh
        self.state = state
        self.settings = settings
        self.authorization = authorization
        self.store = Store(state / "objects")
        self.pods: dict[str, RunningPod] = {}
        self.started = timestamp()
        self.warnings: list[str] = []
        self.node_name = socket.gethostname() or "node"
        self.localhost: dict[str, int] = {}
        self._dirty = asyncio.Event()
        self._down = asyncio.Event()
        self._empty = asyncio.Event()
        self._drain = False
        self.purge = False
        self._number = 0
        self._rules = ""

    async def run(self, ready: asyncio.Event) -> None:
        """Build the mesh, serve until told to go down, take it away. ``ready`` is set when the network stands."""
        await self._build()
        try:
            async with asyncio.TaskGroup() as self.tasks:
                await self._serve(ready)
                await self._down.wait()
                await self._end()
                raise _Done
        except* _Done:
            pass
        finally:
            self.forks.close()

    async def _build(self) -> None:
        self.tokens = Tokens.open(self.state / "token")
        self.store.load()
        self.forks = await Forks.start(self.mesh, self.state / "run" / "pods")
        wanted = str((self.settings.get("subnets") or {}).get("network") or "")
        self.network = await Network.create(self.mesh, wanted, settings.peers(self.settings))
        cgroup = cgroups.of_mesh(self.mesh)
        table = images.built_in(builtin.sample_images()) | images.from_settings(self.settings.get("images") or {})
        self.machine = Machine(
            mesh=self.mesh,
            forks=self.forks,
            network=self.network,
            addresses=Addresses(self.network.subnets),
            scratch=self.state / "run" / "pods",
            logs=self.state / "run" / "logs",
            claims=self.state / "volumes",
            images=table,
            find=self.store.get,
            issue=self._issue,
            default_user=int(os.environ.get("SUDO_UID") or 65532) or 65532,
            cgroup=cgroup,
            starts=asyncio.Semaphore(_PARALLEL_STARTS),
            warn=self.warn,
            notice=partial(notice.give, self.state / "run" / "controlplane.sock", lambda: self.store.revision),
        )
        environment = {**os.environ, **settings.controlplane_environment(self.settings)}
        self.admission = Admission(self.store, self.warn, environment.get("CLUSTER_ID") or "Kubernetes")
        self.controllers = Controllers(
            self.store,
            self.network.subnets,
            self.node_name,
            self.admission.inject,
            self._trust,
            environment,
            GatewayController(self.store, self.admission.settings, options_of(environment)),
        )
        self.controlplane = ControlPlane(
            self.mesh, self.state, self.forks, self.network, cgroup, self.settings, self.authorization
        )

    async def _serve(self, ready: asyncio.Event) -> None:
        node = self.network.subnets.node
        self.dns = Server(self.settings.get("hosts") or {}, self.tasks)
        sockets = await asyncio.to_thread(commands.within, self.network.namespace, lambda: _resolver_sockets(node))
        await self.dns.start(*sockets)
        for document in builtin.objects(self.node_name, node, self.authorization):
            self.store.put(document)
        for raw in self.store.list("Pod"):  # pods of an earlier run: their processes are gone
            if raw["metadata"].get("deletionTimestamp"):
                self.store.delete("Pod", raw["metadata"]["namespace"], raw["metadata"]["name"])
        self.tasks.create_task(self._reconcile())
        self.tasks.create_task(self._follow())
        self.tasks.create_task(self.controlplane.run(self._controlplane_changed))
        self.tasks.create_task(self._refresh_tokens())
        self.tasks.create_task(self._follow_root())
        self.tasks.create_task(self._lost())
        self.forwarder = Forwarder(self._gateway_backend, self.tasks)
        await self.forwarder.open(builtin.LOCALHOST_PORTS)
        self.localhost = self.forwarder.ports
        self._dirty.set()
        ready.set()

    async def _lost(self) -> None:
        await asyncio.shield(self.forks.lost)
        log.error("the process that starts pods is gone; the mesh goes down")
        await self.down(drain=False)

    async def _follow(self) -> None:
        queue = self.store.watch()
        while True:
            event = await queue.get()
            kinds = {event.stored.raw["kind"]}
            while not queue.empty():
                kinds.add(queue.get_nowait().stored.raw["kind"])
            if kinds & {"ConfigMap", "Secret"}:
                self._refresh_volumes()
            self._dirty.set()

    async def _reconcile(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            before = self.store.revision
            try:
                self.controllers.step()
            except (KeyError, TypeError, ValueError, AttributeError):
                log.exception("a controller failed")
            self._match_pods()
            await self._publish()
            if self.store.revision != before:
                self._dirty.set()

    def _match_pods(self) -> None:
        known = {}
        for raw in self.store.list("Pod"):
            uid = raw["metadata"]["uid"]
            known[uid] = raw
            if raw["spec"].get("hostNetwork") and raw["metadata"].get("labels", {}).get("app") == "istiod":
                continue
            if uid not in self.pods and not raw["metadata"].get("deletionTimestamp"):
                self._number += 1
                self.pods[uid] = RunningPod(self.machine, raw, self._number, self._report)
                self.tasks.create_task(self._run_pod(self.pods[uid]))
        for uid, pod in self.pods.items():
            if uid not in known or known[uid]["metadata"].get("deletionTimestamp"):
                pod.stop()

    async def _run_pod(self, pod: RunningPod) -> None:
        try:
            await pod.run()
        except Exception:
            log.exception("pod %s", pod.names)
        del self.pods[pod.uid]
        if not self.pods:
            self._empty.set()
        meta = pod.raw["metadata"]
        current = self.store.get("Pod", meta["namespace"], meta["name"])
        if current is not None and current["metadata"]["uid"] == pod.uid:
            self.store.delete("Pod", meta["namespace"], meta["name"])

    def _report(self, raw: Raw, status: Raw) -> None:
        self.store.put_status(raw, status)

    async def _publish(self) -> None:
        """Names and service addresses, from what the store says now."""
        every, slices = self.store.list("Service"), services.of_service(self.store.list("EndpointSlice"))
        self.dns.records = services.records(every, slices)
        virtuals = [
            v
            for s in every
            for v in services.virtuals(s, slices.get((s["metadata"]["namespace"], s["metadata"]["name"]), ()))
        ]
        subnets = self.network.subnets
        pods = [p.address for p in self.pods.values() if p.address]
        rules = vip.render(virtuals, str(subnets.services), subnets.node, pods)
        if rules != self._rules:
            try:
                await commands.run("nsenter", f"--net={self.network.namespace}", "nft", "-f", "-", text=rules)
                self._rules = rules
            except LabError as error:
                self.warn(f"service addresses were not updated: {error}")

    def _refresh_volumes(self) -> None:
        for pod in self.pods.values():
            pod.try_again()
            if pod.place is not None:
                with contextlib.suppress(LabError, OSError, ValueError):
                    pod.refresh()

    async def _refresh_tokens(self) -> None:
        while True:
            await asyncio.sleep(_TOKEN_REFRESH_SECONDS)
            self._refresh_volumes()

    async def _follow_root(self) -> None:
        """The control plane tells of other roots by files; every namespace's ConfigMaps follow."""
        seen = [self._trust(name) for name in _TRUST_FILES]
        while True:
            await asyncio.sleep(_ROOT_SECONDS)
            if (now := [self._trust(name) for name in _TRUST_FILES]) != seen:
                seen = now
                self._dirty.set()

    def _issue(self, pod: Raw, audience: str, seconds: int) -> str:
        meta = pod["metadata"]
        account = self.store.get(
            "ServiceAccount", meta["namespace"], pod["spec"].get("serviceAccountName") or "default"
        )
        return self.tokens.issue(
            pod, account["metadata"]["uid"] if account else "", [audience], seconds, int(time.time())
        )

    def _trust(self, name: str) -> str:
        try:
            return (self.state / "controlplane" / name).read_text(encoding="ascii")
        except OSError:
            return ""

    def _controlplane_changed(self, status: Raw) -> None:
        pod = self.store.get("Pod", "istio-system", self.controlplane.pod_name)
        if pod is None:
            _, pod = self.store.put(self.controlplane.pod(self.node_name))
        self.store.put_status(pod, status)
        self._dirty.set()

    def _gateway_backend(self, port: int) -> tuple[str, int] | None:
        service = self.store.get("Service", "istio-system", "istio-ingressgateway")
        return (service["spec"]["clusterIP"], port) if service and service["spec"].get("clusterIP") else None

    def find_pod(self, namespace: str, name: str) -> RunningPod | None:
        """By pod name."""
        return next(
            (
                p
                for p in self.pods.values()
                if p.raw["metadata"]["name"] == name and p.raw["metadata"]["namespace"] == namespace
            ),
            None,
        )

    def describe(self, uid: str, metadata: Raw) -> None:
        """Labels and annotations of a pod that runs have changed: its downward files follow."""
        pod = self.pods.get(uid)
        if pod is None:
            return
        pod.raw = {**pod.raw, "metadata": metadata}
        if pod.place is not None:
            with contextlib.suppress(LabError, OSError, ValueError):
                pod.refresh()

    def warn(self, text: str) -> None:
        """Kept for status and log, each text once."""
        if text not in self.warnings:
            self.warnings.append(text)
            log.warning("%s", text)

    async def down(self, drain: bool) -> None:
        self._drain = drain
        self._down.set()

    async def _end(self) -> None:
        pods = list(self.pods.values())
        for pod in pods:
            pod.stop(hurry=not self._drain)
        if self._drain and pods:
            await self._empty.wait()
        await self.controlplane.stop()


class _Done(Exception):
    pass


def _resolver_sockets(address: str) -> tuple[socket.socket, socket.socket]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 53))
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, 53))
    for each in (udp, tcp):
        each.setblocking(False)
    return udp, tcp


async def serve(mesh: str, state: Path, config: Path | None, authorization: AuthorizationMode) -> None:
    """Run one mesh to its end."""
    from mizzen.lab.api import Api
    from mizzen.lab.execute import Executor

    supervisor = Supervisor(mesh, state, settings.read(config), authorization)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor._down.set)
    async with asyncio.TaskGroup() as tasks:
        ready = asyncio.Event()
        life = tasks.create_task(supervisor.run(ready))
        waiting = tasks.create_task(ready.wait())
        await asyncio.wait((life, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not ready.is_set():
            return
        executor = Executor(supervisor, state / "run" / "exec.sock")
        listening = tasks.create_task(executor.run())
        api = Api(supervisor)
        await api.start(state / "run" / "sock")
        await life
        listening.cancel()
        await api.stop()
    await asyncio.to_thread(cleanup.clean, mesh, state, supervisor.purge, os.getpid())


def main(arguments: list[str]) -> None:
    """``--mesh NAME --state DIR [--config FILE] [--authorization-mode MODE]``."""
    import argparse

    parser = argparse.ArgumentParser(prog="mizzen.lab.supervisor")
    parser.add_argument("--mesh", required=True)
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--authorization-mode", type=AuthorizationMode, default=AuthorizationMode.ALWAYS_ALLOW)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(serve(options.mesh, options.state, options.config, options.authorization_mode))
    except BaseExceptionGroup as group:
        problems, rest = group.split(LabError)
        if rest is not None or problems is None:
            raise
        _fail(problems)
    except LabError as error:
        _fail(error)


def _fail(error: BaseException) -> None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    hint = getattr(error, "hint", "")
    sys.stderr.write(f"LabError: {error}\nhint: {hint}\n")
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
