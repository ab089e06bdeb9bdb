"""The DNS proxy's numbers in Prometheus' text form (row DN-05)."""

from __future__ import annotations

BUCKETS = (0.001, 0.005, 0.01, 0.1, 1.0, 5.0)
"""Seconds."""
_PREFIX = "istio_agent_dns_"


class Counters:
    """``requests`` are all questions, ``upstream`` those asked of others, ``failures`` those that nobody answered."""

    def __init__(self) -> None:
        self.requests = 0
        self.upstream = 0
        self.failures = 0
        self._buckets = [0] * len(BUCKETS)
        self._count = 0
        self._seconds = 0.0

    def took(self, seconds: float) -> None:
        """One question was asked of others and answered, or not, after ``seconds``."""
        self._count += 1
        self._seconds += seconds
        for index, most in enumerate(BUCKETS):
            self._buckets[index] += seconds <= most

    def text(self) -> str:
        lines = []
        for name, value in (
            ("requests_total", self.requests),
            ("upstream_requests_total", self.upstream),
            ("upstream_failures_total", self.failures),
        ):
            lines += [f"# TYPE {_PREFIX}{name} counter", f"{_PREFIX}{name} {value}"]
        name = f"{_PREFIX}upstream_request_duration_seconds"
        lines.append(f"# TYPE {name} histogram")
        lines += [f'{name}_bucket{{le="{most:g}"}} {count}' for most, count in zip(BUCKETS, self._buckets, strict=True)]
        lines += [f'{name}_bucket{{le="+Inf"}} {self._count}', f"{name}_sum {self._seconds:.6f}"]
        return "\n".join([*lines, f"{name}_count {self._count}"]) + "\n"
