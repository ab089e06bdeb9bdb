"""``outlierDetection`` of a DestinationRule on a cluster (rows DR-37 to DR-42)."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2

from mizzen.api.destination_rule import OutlierDetection
from mizzen.translate.scalars import duration


def apply(cluster: cluster_pb2.Cluster, outlier: OutlierDetection | None, *, keeps_unready: bool = False) -> None:
    """Set the detection, and the panic threshold: 0 wherever endpoints that are not ready are sent (row DR-40)."""
    threshold = outlier.min_health_percent if outlier and not keeps_unready else 0
    cluster.common_lb_config.healthy_panic_threshold.value = threshold
    if outlier is None:
        return
    found = cluster.outlier_detection
    found.enforcing_success_rate.value = 0
    if outlier.consecutive_5xx_errors is not None:
        found.consecutive_5xx.value = outlier.consecutive_5xx_errors
        found.enforcing_consecutive_5xx.value = 100 if outlier.consecutive_5xx_errors else 0
    if outlier.consecutive_gateway_errors is not None:
        found.consecutive_gateway_failure.value = outlier.consecutive_gateway_errors
        found.enforcing_consecutive_gateway_failure.value = 100 if outlier.consecutive_gateway_errors else 0
    if outlier.interval is not None:
        found.interval.CopyFrom(duration(outlier.interval))
    if outlier.base_ejection_time is not None:
        found.base_ejection_time.CopyFrom(duration(outlier.base_ejection_time))
    if outlier.max_ejection_percent:
        found.max_ejection_percent.value = outlier.max_ejection_percent
    if outlier.split_external_local_origin_errors:
        found.split_external_local_origin_errors = True
        found.enforcing_local_origin_success_rate.value = 0
        failures = outlier.consecutive_local_origin_failures
        if failures is not None:
            found.consecutive_local_origin_failure.value = failures
            found.enforcing_consecutive_local_origin_failure.value = 100 if failures else 0
