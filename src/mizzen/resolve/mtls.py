"""PeerAuthentication: the mode in force on a workload and on each of its ports (rows PA-04 to PA-09)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mizzen.api.meta import Object
from mizzen.api.security import MutualTLS, PeerAuthentication
from mizzen.model.finding import Finding, Level
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import MtlsMode
from mizzen.resolve import problems

_NO_PORTS: Mapping[int, MtlsMode] = {}


@dataclass(frozen=True)
class Modes:
    """``workload`` is the mode of the whole workload, ``ports`` those of single container ports."""

    workload: MtlsMode
    ports: Mapping[int, MtlsMode]

    def of(self, port: int) -> MtlsMode:
        return self.ports.get(port, self.workload)

    def settled(self, *, mtls: bool) -> Modes:
        """Without PERMISSIVE, for a server that has to choose: what its clients believe of it (``mtls``) decides (XD-20)."""
        choice = MtlsMode.STRICT if mtls else MtlsMode.DISABLE
        chosen = {number: choice if mode is MtlsMode.PERMISSIVE else mode for number, mode in self.ports.items()}
        return Modes(choice if self.workload is MtlsMode.PERMISSIVE else self.workload, chosen)


@dataclass(frozen=True)
class PeerPolicies:
    """The PeerAuthentication objects of the mesh, sorted for look-up; only the oldest of a level counts (row PA-07)."""

    mesh: MtlsMode
    namespaces: Mapping[str, MtlsMode]
    selecting: Mapping[str, tuple[Object, ...]]
    before: PeerPolicies | None = None
    """The policies of before, while a change settles."""

    def namespace(self, namespace: str) -> MtlsMode:
        return self.namespaces.get(namespace, self.mesh)

    def modes(self, namespace: str, labels: dict[str, str]) -> Modes:
        """The modes of a workload; while a change settles, PERMISSIVE where the mode turns to or from DISABLE."""
        own = self._modes(namespace, labels)
        return own if self.before is None else _lenient(self.before.modes(namespace, labels), own)

    def _modes(self, namespace: str, labels: dict[str, str]) -> Modes:
        inherited = self.namespace(namespace)
        for obj in self.selecting.get(namespace, ()):
            policy: PeerAuthentication = obj.body
            if policy.selector is not None and policy.selector.matches(labels):
                own = _mode(policy.mtls, inherited)
                return Modes(
                    own,
                    {int(port): _mode(mtls, own) for port, mtls in policy.port_level_mtls.items() if port.isdigit()},
                )
        return Modes(inherited, _NO_PORTS)


def peer_policies(policies: Iterable[Object], root_namespace: str) -> PeerPolicies:
    """``policies`` oldest first. One with a selector in the root namespace is ignored altogether (row PA-05)."""
    plain: dict[str, Object] = {}
    selecting: dict[str, tuple[Object, ...]] = {}
    for obj in policies:
        selector = obj.body.selector
        if selector is not None and selector.match_labels:
            if obj.namespace != root_namespace:
                selecting[obj.namespace] = (*selecting.get(obj.namespace, ()), obj)
        else:
            plain.setdefault(obj.namespace, obj)
    root = plain.pop(root_namespace, None)
    mesh = _mode(root.body.mtls, MtlsMode.PERMISSIVE) if root else MtlsMode.PERMISSIVE
    return PeerPolicies(mesh, {namespace: _mode(obj.body.mtls, mesh) for namespace, obj in plain.items()}, selecting)


def settling(before: PeerPolicies, after: PeerPolicies) -> PeerPolicies:
    """What servers go by while clients turn from ``before`` to ``after``."""
    return replace(after, before=before)


def turns(before: Modes, after: Modes) -> set[tuple[MtlsMode, MtlsMode]]:
    """The modes of old and new, of the workload and of its ports, of which exactly one is DISABLE."""
    pairs = {(before.workload, after.workload)}
    pairs |= {(before.of(port), after.of(port)) for port in {*before.ports, *after.ports}}
    return {pair for pair in pairs if pair[0] is not pair[1] and MtlsMode.DISABLE in pair}


def _lenient(before: Modes, after: Modes) -> Modes:
    ports = {*before.ports, *after.ports}
    return Modes(
        _both(before.workload, after.workload), {port: _both(before.of(port), after.of(port)) for port in sorted(ports)}
    )


def _both(before: MtlsMode, after: MtlsMode) -> MtlsMode:
    return MtlsMode.PERMISSIVE if before is not after and MtlsMode.DISABLE in (before, after) else after


def peer_findings(policies: Iterable[Object], root_namespace: str) -> tuple[Finding, ...]:
    """The policies that have no effect: younger ones of a level (row PA-07), and selectors in the root namespace (PA-05).

    Workload policies are compared by their selectors: two that differ may still meet on a pod, and then the older counts.
    """
    first: dict[tuple[str, tuple[tuple[str, str], ...]], Object] = {}
    findings = []
    for obj in policies:
        selector = tuple(sorted(obj.body.selector.match_labels.items())) if obj.body.selector else ()
        older = first.setdefault((obj.namespace, selector), obj)
        if selector and obj.namespace == root_namespace:
            what = "a PeerAuthentication of the root namespace has no effect when it has a selector"
        elif older is not obj:
            where = "for the same workloads" if selector else "for the whole namespace"
            what = f"no effect: {older.name} is older and {where}, too"
        else:
            continue
        findings.append(
            problems.about(obj, problems.NO_EFFECT, Level.WARNING, what, "spec.selector" if selector else "")
        )
    return tuple(findings)


def peer_policies_of(snapshot: Snapshot) -> PeerPolicies:
    """The sorted policies that servers of ``snapshot`` go by, taken from its build where it has one."""
    made = snapshot.steps.get("servers' peers")
    if made is not None and isinstance(made[1], PeerPolicies):
        return made[1]
    return peer_policies(snapshot.peer_authentications, snapshot.mesh.root_namespace)


def _mode(mtls: MutualTLS | None, inherited: MtlsMode) -> MtlsMode:
    if mtls is None or mtls.mode in ("UNSET", ""):
        return inherited
    return MtlsMode(mtls.mode)
