"""Logs and metrics of the control plane. Metric names are Istio's (rows CA-14, CPM-01, CPM-02, CPM-06, MCL-01)."""

from __future__ import annotations

import collections
import logging
import re
import time
from collections.abc import Iterable
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from mizzen import VERSION

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configure_logs(level: int = logging.INFO) -> None:
    """Log lines go to standard error."""
    logging.basicConfig(level=level, format=LOG_FORMAT)
    # grpclib reports each broken stream with a traceback; what matters of those we log ourselves.
    logging.getLogger("grpclib").setLevel(logging.CRITICAL)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


_BARE = (
    "pilot_xds_pushes",
    "pilot_total_xds_rejects",
    "pilot_xds_expired_nonce",
    "pilot_total_xds_internal_errors",
    "citadel_server_csr_count",
    "citadel_server_success_cert_issuance_count",
    "citadel_server_authentication_failure_count",
    "citadel_server_csr_sign_err_count",
    "citadel_server_csr_parsing_err_count",
    "citadel_server_id_extraction_err_count",
    "pilot_push_triggers",
    "pilot_inbound_updates",
    "pilot_k8s_cfg_events",
    "pilot_k8s_reg_events",
    "pilot_xds_write_timeout",
    "galley_validation_passed",
    "galley_validation_failed",
    "galley_validation_http_error",
)
"""Counters whose name in Istio has no ``_total`` (rows CA-14, CPM-01, CPM-02)."""
_SUFFIXED = re.compile(rf"^((?:# (?:HELP|TYPE) )?(?:{'|'.join(_BARE)}))_total(?=[ {{])".encode(), re.MULTILINE)


_LONGEST = 64
"""Characters of a version that a proxy says of itself."""
_PUSH = (0.01, 0.1, 0.5, 1, 3, 5, 10, 20, 30)
_PROXY = (0.1, 0.5, 1, 3, 5, 10, 20, 30)


class PushMetrics:
    """How long a change takes to reach proxies, and what made it necessary (rows CPM-01, CPM-05)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, about: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()) -> Histogram:
            return Histogram(name, about, labels, buckets=buckets, registry=registry)

        self.push = histogram("pilot_xds_push_time", "Time to make responses, by type.", _PUSH, ("type",))
        self.send = histogram("pilot_xds_send_time", "Time to send a response.", (0.01, 0.1, 1, 3, 5, 10, 20, 30))
        self.debounce = histogram("pilot_debounce_time", "Time that a change waited for others.", _PUSH)
        self.queue = histogram("pilot_proxy_queue_time", "Time until a proxy's turn came.", _PROXY)
        self.convergence = histogram(
            "pilot_proxy_convergence_time", "Time from a change to the last response to a proxy.", _PROXY
        )
        self.triggers = Counter("pilot_push_triggers", "Changes, by what they are of.", ["type"], registry=registry)
        self.inbound = Counter("pilot_inbound_updates", "Changes that came in, by sort.", ["type"], registry=registry)
        event = ["type", "event"]
        self.config_events = Counter("pilot_k8s_cfg_events", "Changed configuration.", event, registry=registry)
        self.registry_events = Counter("pilot_k8s_reg_events", "Changed services and pods.", event, registry=registry)
        self._longest = Gauge("pilot_xds_recv_max", "Bytes of the largest request.", registry=registry)
        self._received = 0
        # There, and never raised: a send has no time limit of its own here, the connection has.
        Counter("pilot_xds_write_timeout", "Responses that could not be sent in time.", registry=registry)

    def received(self, size: int) -> None:
        """A request of ``size`` bytes."""
        if size > self._received:
            self._received = size
            self._longest.set(size)


class Metrics:
    """The control plane's metrics in a registry of their own, so that two can live in one process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        self.pushing = PushMetrics(registry)
        ProcessCollector(registry=registry)
        self.connected = Gauge(
            "pilot_xds", "Number of endpoints connected to this pilot using XDS.", ["version"], registry=registry
        )
        self.pushes = Counter("pilot_xds_pushes", "Responses sent, by type.", ["type"], registry=registry)
        self.rejects = Counter(
            "pilot_total_xds_rejects", "Responses that a proxy refused.", ["type"], registry=registry
        )
        self._refused = {
            short: Gauge(
                f"pilot_xds_{short}_reject", f"Refusals of {short.upper()}.", ["node", "err"], registry=registry
            )
            for short in ("cds", "eds", "lds", "rds")
        }
        self._refusing: dict[str, set[tuple[str, str]]] = {}
        self._versions: collections.Counter[str] = collections.Counter()
        self.lookup_failures = Gauge(
            "provider_lookup_cluster_failures",
            "Extension providers whose service is not found, or is in several namespaces.",
            ["type"],
            registry=registry,
        )
        self.rejected_configs = Gauge(
            "pilot_total_rejected_configs",
            "Objects that are left out, wholly or in part, because of another.",
            ["type", "name"],
            registry=registry,
        )
        self.expired_nonces = Counter(
            "pilot_xds_expired_nonce", "Requests with an old nonce.", ["type"], registry=registry
        )
        self.internal_errors = Counter(
            "pilot_total_xds_internal_errors", "Failures to build configuration.", registry=registry
        )
        self.config_size = Histogram(
            "pilot_xds_config_size_bytes",
            "Size of responses.",
            ["type"],
            buckets=(1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000),
            registry=registry,
        )
        self.build_seconds = Histogram(
            "pilot_pushcontext_init_seconds",
            "Time to resolve a snapshot.",
            buckets=(0.01, 0.1, 0.5, 1, 3, 5),
            registry=registry,
        )
        self.services = Gauge("pilot_services", "Services known.", registry=registry)
        self.virtual_services = Gauge("pilot_virt_services", "VirtualServices known.", registry=registry)
        self.duplicate_domains = Gauge(
            "pilot_vservice_dup_domain", "Virtual services with dup domains.", registry=registry
        )
        self.inbound_conflicts = Gauge(
            "pilot_conflict_inbound_listener", "Services of one container port with other protocols.", registry=registry
        )
        self.outbound_conflicts = Gauge(
            "pilot_conflict_outbound_listener_tcp_over_current_tcp",
            "Service ports whose listener an older service has.",
            registry=registry,
        )
        self.duplicate_subsets = Gauge(
            "pilot_destrule_subsets", "Duplicate subsets across destination rules for same host", registry=registry
        )
        self.registrations = Counter(
            "auto_registration_success", "Workload entries made for workloads that registered.", registry=registry
        )
        self.unregistrations = Counter(
            "auto_registration_deletes", "Workload entries removed after their workload had gone.", registry=registry
        )
        self.registration_errors = Counter(
            "auto_registration_errors", "Workloads that could not be registered.", registry=registry
        )
        self.clusters = Gauge("istiod_managed_clusters", "Clusters that are read.", ["cluster_type"], registry=registry)
        self.cluster_timeouts = Counter(
            "remote_cluster_sync_timeouts_total", "Clusters that were not read in time.", registry=registry
        )
        self.csr_count = Counter("citadel_server_csr_count", "Certificate requests received.", registry=registry)
        self.issued = Counter("citadel_server_success_cert_issuance_count", "Certificates issued.", registry=registry)
        self.authentication_failures = Counter(
            "citadel_server_authentication_failure_count",
            "Callers whose identity could not be proved.",
            registry=registry,
        )
        self.csr_errors = Counter(
            "citadel_server_csr_sign_err_count", "Requests not signed.", ["error"], registry=registry
        )
        # Istio has them though they are never raised: a bad request counts as a signing error (row CA-14).
        Counter("citadel_server_csr_parsing_err_count", "Requests that could not be read.", registry=registry)
        Counter("citadel_server_id_extraction_err_count", "Requests without an identity.", registry=registry)
        self.key_fetches = Counter(
            "pilot_jwks_resolver_network_fetch_success_total", "Key sets fetched.", registry=registry
        )
        self.key_fetches_failed = Counter(
            "pilot_jwks_resolver_network_fetch_fail_total", "Key sets that could not be fetched.", registry=registry
        )
        self.secret_errors = Counter(
            "pilot_sds_certificate_errors_total",
            "Certificates that were asked for and are missing or cannot be used.",
            registry=registry,
        )
        self.failed_closed = Gauge(
            "mizzen_security_failed_closed",
            "Fields of security objects that deny because they could not be built.",
            ["reason"],
            registry=registry,
        )
        self.root_expiry = Gauge(
            "citadel_server_root_cert_expiry_timestamp", "End of the root, Unix seconds.", registry=registry
        )
        self.root_expiry_seconds = Gauge(
            "citadel_server_root_cert_expiry_seconds", "Time left of the root.", registry=registry
        )
        self.injections = Counter("sidecar_injection_requests_total", "Reviews of pods.", registry=registry)
        # Istio counts every review that was answered, so one that leaves the pod alone or refuses it as well.
        self.injections_answered = Counter(
            "sidecar_injection_success_total", "Reviews of pods that were answered.", registry=registry
        )
        self.injections_failed = Counter(
            "sidecar_injection_failure_total", "Pods refused, and reviews without an answer.", registry=registry
        )
        self.injections_skipped = Counter("sidecar_injection_skip_total", "Pods that get no proxy.", registry=registry)
        self.injection_seconds = Histogram(
            "sidecar_injection_time_seconds",
            "Time to answer a review of a pod.",
            buckets=(0.1, 1, 3, 5, 10, 20, 30, 60),
            registry=registry,
        )
        resource = ["group", "version", "resource"]
        self.validation_passed = Counter("galley_validation_passed", "Valid objects.", resource, registry=registry)
        self.validation_failed = Counter(
            "galley_validation_failed", "Refused objects.", [*resource, "reason"], registry=registry
        )
        self.validation_errors = Counter(
            "galley_validation_http_error", "Reviews of objects without an answer.", ["status"], registry=registry
        )
        Gauge("istio_build", "Version of this component.", ["component", "tag"], registry=registry).labels(
            "pilot", VERSION
        ).set(1)
        started = time.monotonic()
        uptime = Gauge("istiod_uptime_seconds", "Time since this process began.", registry=registry)
        uptime.set_function(lambda: time.monotonic() - started)
        Gauge("pilot_info", "Version of this control plane.", ["version"], registry=registry).labels(VERSION).set(1)

    def count_connected(self, version: str, change: int) -> None:
        """A proxy of ``version`` has come (1) or gone (-1). Of a version that no proxy has nothing is said."""
        label = version[:_LONGEST] or "unknown"
        self._versions[label] += change
        self.connected.labels(label).set(self._versions[label])
        if not self._versions[label]:
            del self._versions[label]
            self.connected.remove(label)

    def refused(self, short: str, node: str, error: str) -> None:
        """A proxy refused a response of the type ``short`` with the gRPC code ``error`` (row CPM-02)."""
        self.rejects.labels(short).inc()
        if short in self._refused:
            self._refused[short].labels(node, error).inc()
            self._refusing.setdefault(node, set()).add((short, error))

    def lookups_failed(self, kinds: Iterable[str]) -> None:
        """Providers in the newest mesh config whose service is not found, by their sort (row TR-10)."""
        self.lookup_failures.clear()
        for kind, number in collections.Counter(kinds).items():
            self.lookup_failures.labels(kind).set(number)

    def gone(self, node: str) -> None:
        """The proxy will not come back: nothing is said of it any more."""
        for short, error in self._refusing.pop(node, ()):
            self._refused[short].remove(node, error)

    @cache  # noqa: B019 - lives as long as the process
    def chain_expiry(self) -> Gauge:
        """There only when a CA is plugged in (row CA-14)."""
        return Gauge(
            "citadel_server_cert_chain_expiry_timestamp",
            "End of the plugged-in chain, Unix seconds.",
            registry=self.registry,
        )

    @cache  # noqa: B019 - lives as long as the process
    def chain_expiry_seconds(self) -> Gauge:
        return Gauge(
            "citadel_server_cert_chain_expiry_seconds", "Time left of the plugged-in chain.", registry=self.registry
        )

    def text(self) -> bytes:
        """Prometheus' text format, with Istio's names: the library ends every counter in ``_total``, Istio only some."""
        return _SUFFIXED.sub(rb"\1", generate_latest(self.registry))
