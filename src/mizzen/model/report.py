"""Report: what one side of a group of proxies tells of its traffic: traces, access logs, metrics (rows TM-01 to TM-13)."""

from __future__ import annotations

from dataclasses import dataclass

from mizzen.model.provider import Logger, Tracing


@dataclass(frozen=True)
class TagChange:
    """A tag of a metric by name: another value, as a CEL ``expression``, or left out where that is empty (row TM-04)."""

    name: str
    expression: str = ""


@dataclass(frozen=True)
class MetricChange:
    """What is different of one metric; ``metric`` without the ``istio_`` before it."""

    metric: str
    disabled: bool = False
    tags: tuple[TagChange, ...] = ()


@dataclass(frozen=True)
class Metrics:
    """The ``istio_*`` metrics; those that no change names are as Istio has them."""

    changes: tuple[MetricChange, ...] = ()

    def of(self, metric: str) -> MetricChange:
        """The change of ``metric``, which may change nothing."""
        return next((change for change in self.changes if change.metric == metric), MetricChange(metric))


DEFAULT_METRICS = Metrics()


@dataclass(frozen=True)
class Report:
    """``tracing`` None: no tracing at all. ``loggers`` None: MeshConfig's ``accessLogFile`` rules; empty: nothing is
    logged (rows MC-12, TM-03). ``metrics`` None: none."""

    tracing: Tracing | None = None
    loggers: tuple[Logger, ...] | None = None
    metrics: Metrics | None = DEFAULT_METRICS

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Services that traces and access logs go to."""
        tracer = self.tracing.tracer.hostnames if self.tracing else ()
        return (*tracer, *(host for logger in self.loggers or () for host in logger.hostnames))


DEFAULT_REPORT = Report()
