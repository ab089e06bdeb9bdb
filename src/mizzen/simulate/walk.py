"""Walk: an outcome in the making."""

from __future__ import annotations

from dataclasses import dataclass, field

from mizzen.simulate.outcome import Candidate, Failure, Outcome, Reply, Stage, Step, Target


@dataclass
class Walk:
    """The fields are those of the Outcome that it becomes."""

    steps: list[Step] = field(default_factory=list)
    error: Failure | None = None
    reply: Reply | None = None
    targets: tuple[Target, ...] = ()
    listener: str = ""
    filter_chain: str = ""
    route_config: str = ""
    virtual_host: str = ""
    route: str = ""

    def add(self, step: Step) -> None:
        self.steps.append(step)

    def forward(self, targets: tuple[Target, ...]) -> None:
        """The call goes to ``targets``; it fails when none of them exists."""
        if not targets:
            self.add(Step(Stage.ACTION, "", "how the cluster is chosen is not modelled"))
            self.error = Failure.UNKNOWN
            return
        self.targets = targets
        missing = tuple(Candidate(t.cluster, "the proxy has no such cluster") for t in targets if not t.known)
        told = ", ".join(f"{t.cluster} ({t.share:.2%})" if t.share < 1 else t.cluster for t in targets)
        self.add(Step(Stage.ACTION, told, "the cluster of the route", missing))
        if len(missing) == len(targets):
            self.error = Failure.NO_CLUSTER

    def outcome(self) -> Outcome:
        return Outcome(
            steps=tuple(self.steps),
            error=self.error,
            reply=self.reply,
            targets=self.targets,
            listener=self.listener,
            filter_chain=self.filter_chain,
            route_config=self.route_config,
            virtual_host=self.virtual_host,
            route=self.route,
        )
